import { setTimeout as wait } from 'node:timers/promises';
import type { Answer } from '@board/service/testing';
import fc from 'fast-check';
import type { Api } from './api.ts';
import { drawOddity, type Oddity } from './draw-oddity.ts';
import { drawShot } from './draw-shot.ts';
import { drawStray } from './draw-stray.ts';
import { holdAnswers } from './hold-answer.ts';
import { openWire, type Wire } from './open-wire.ts';
import type { Shot } from './shot.ts';
import { toBytes, type Sent } from './to-bytes.ts';
import type { World } from './world.ts';

export interface FuzzOptions {
  readonly api: Api;
  readonly port: number;
  readonly seed: number;
  readonly count: number;
  /** Connections at a time. */
  readonly clients: number;
}

export interface Failure {
  readonly what: string;
  readonly why: string;
}

const chunk = 250;

/**
 * Sends drawn requests and checks every answer; returns the answers that are wrong, and how many
 * connections were closed without an answer.
 */
export async function runFuzz(
  world: World,
  options: FuzzOptions,
): Promise<{ failures: Failure[]; unanswered: number }> {
  const { api, port, seed, count, clients } = options;
  const hold = holdAnswers(api);
  const failures: Failure[] = [];
  let unanswered = 0;
  const shot = drawShot(api);
  const fitShot = drawShot(api, { fitness: Infinity });
  const drawn = fc.oneof(
    { weight: 16, arbitrary: shot },
    { weight: 2, arbitrary: drawStray(api) },
    { weight: 2, arbitrary: drawOddity(shot, fitShot) },
  );
  const tasks = drawInChunks(drawn, seed, count);

  async function work(): Promise<void> {
    let wire: Wire | undefined;
    for (const task of tasks) {
      if (failures.length >= 10) break;
      if ('finish' in task) {
        // Meanwhile the server would close it, perhaps under the next request.
        wire?.hangUp();
        wire = undefined;
        await beOdd(task);
        continue;
      }
      const sent = task.aim(world);
      try {
        if (!wire?.isOpen()) wire = await openWire(port);
        const answer = await exchange(wire, sent, task);
        if (!answer) unanswered += 1;
        if (!answer || answer.headers['connection'] === 'close') {
          wire.hangUp();
          wire = undefined;
        }
      } catch (error) {
        fail(describe(sent), error);
        wire?.hangUp();
        wire = undefined;
      }
    }
    wire?.hangUp();
  }

  async function exchange(
    wire: Wire,
    sent: Sent,
    { chunks, isFit }: Shot,
  ): Promise<Answer | undefined> {
    world.note(sent);
    wire.send(toBytes(sent, chunks), sent.method);
    const answer = await wire.nextAnswer();
    if (!answer && isFit) throw new Error('closed without an answer');
    if (answer) {
      hold(answer, sent, isFit);
      world.learn(sent, answer);
    }
    return answer;
  }

  async function beOdd({ name, aim, finish }: Oddity): Promise<void> {
    const { parts, requests } = aim(world);
    try {
      for (const one of requests ?? []) world.note(one);
      const wire = await openWire(port);
      wire.send(Buffer.alloc(0), ...(requests ?? []).map(({ method }) => method));
      for (const [n, part] of parts.entries()) {
        if (n > 0) await wait(5);
        wire.send(part);
      }
      if (finish === 'end') wire.end();
      for (const sent of finish === 'hang up' ? [] : (requests ?? [])) {
        const answer = await wire.nextAnswer();
        if (!answer) throw new Error('closed without an answer');
        hold(answer, sent, true);
        world.learn(sent, answer);
      }
      if (finish === 'end')
        for (let answer = await wire.nextAnswer(); answer; answer = await wire.nextAnswer())
          hold(answer);
      wire.hangUp();
    } catch (error) {
      fail(
        `${name}: ${JSON.stringify(Buffer.concat(parts).toString('latin1').slice(0, 600))}`,
        error,
      );
    }
  }

  function fail(what: string, error: unknown): void {
    failures.push({ what, why: String(error).slice(0, 500) });
  }

  await Promise.all(Array.from({ length: clients }, work));
  return { failures, unanswered };
}

/**
 * The same seed gives the same requests; they are made as they are needed, as all of them would not
 * fit in memory.
 */
function* drawInChunks<Item>(
  from: fc.Arbitrary<Item>,
  seed: number,
  count: number,
): Generator<Item> {
  for (let done = 0; done < count; done += chunk) {
    yield* fc.sample(from, { seed: seed + done, numRuns: Math.min(chunk, count - done) });
  }
}

function describe({ method, target, headers, body }: Sent): string {
  const head = `${method} ${target.slice(0, 300)} ${JSON.stringify(headers).slice(0, 600)}`;
  return `${head} ${JSON.stringify(body?.toString('latin1').slice(0, 300))} (${body?.length} bytes)`;
}
