import { waitUntil } from '@board/test';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openInboxLab, type InboxLab } from './support/inbox-lab.ts';
import { thingLogHandler } from './support/thing-log.ts';

/** From the loop that fetched the record down to the handler, the handler itself not counted. */
const mostFrames = 10;

let lab: InboxLab;
beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
afterAll(() => lab.close());

/** Our own frames, the innermost first. */
function ownFrames(): string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Infinity;
  const { stack = '' } = new Error('where');
  Error.stackTraceLimit = stackTraceLimit;
  return stack.split('\n').filter((line) => line.includes('/packages/inbox/src/'));
}

it('calls a handler at most ten frames below the loop, for a record of the source and of a retry topic', async () => {
  const frames = new Map<number, readonly string[]>();
  await lab.start(
    thingLogHandler({
      sabotage({ attempt }) {
        frames.set(attempt, ownFrames());
        if (attempt === 1) throw new Error('planned');
      },
    }),
  );
  await lab.produce([lab.thing('a', 1)]);
  await waitUntil('the second attempt', () => frames.has(2));
  for (const [attempt, own] of frames) {
    process.stderr.write(`attempt ${attempt}: ${own.length} frames\n${own.join('\n')}\n`);
    // The stack reaches up to the loop: otherwise few frames would mean little.
    expect(own.at(-1)).toContain('partition-loop.ts');
    expect(own.length).toBeLessThanOrEqual(mostFrames);
  }
});
