import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectApi } from '@board/relay';
import { describeState } from './verbs.ts';

const everyMs = 1_000;

/** What a connector has become; `Connect` itself when it does not answer. */
export interface StateChange {
  /** ISO 8601. */
  readonly at: string;
  readonly name: string;
  readonly state: string;
}

/** Reports each state that differs from the one before, until the signal; of all without names. */
export async function watchStates(
  api: ConnectApi,
  names: readonly string[],
  signal: AbortSignal,
  report: (change: StateChange) => void,
): Promise<void> {
  let before = new Map<string, string>();
  while (!signal.aborted) {
    const states = await readStates(api, names);
    const gone = [...before.keys()].filter((name) => !states.has(name) && name !== connect);
    const now = new Map([
      ...states,
      // What is unknown while Connect is away is not gone.
      ...(states.has(connect) ? [] : gone.map((name) => [name, 'not registered'] as const)),
    ]);
    for (const [name, state] of now)
      if (before.get(name) !== state) report({ at: new Date().toISOString(), name, state });
    before = states.has(connect) ? new Map([...before, ...now]) : now;
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

const connect = 'Connect';

async function readStates(
  api: ConnectApi,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  try {
    const all = names.length === 0 ? await api.listNames() : names;
    const states = all.map(
      async (name) => [name, describeState(await api.getStatus(name))] as const,
    );
    return new Map(await Promise.all(states));
  } catch (error) {
    return new Map([[connect, (error as Error).message]]);
  }
}
