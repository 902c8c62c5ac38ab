import { setTimeout as delay } from 'node:timers/promises';
import { printable } from '@board/service';
import type { ProvisionConfig } from './config.ts';
import type { ProvisionStep, ProvisionTools } from './steps.ts';

const maxAttempts = 4;

/**
 * Runs a step, again when it fails: each may be repeated, and servers that have just started (a
 * topic whose leaders are not known everywhere yet) refuse now what they do a second later.
 */
export async function runStep(
  step: ProvisionStep,
  config: ProvisionConfig,
  tools: ProvisionTools,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const line of await step.run(config, tools)) tools.say(line);
      tools.say(`${step.name} done`);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === maxAttempts) throw error;
      tools.say(
        `${step.name}: once more, since ${printable(error instanceof Error ? error.message : String(error))}`,
      );
      await delay(500 * attempt, undefined, { signal });
    }
  }
}
