import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { checkGraph, runGraph, type Step } from './list-steps.ts';

const never = new AbortController().signal;

function recorder() {
  const events: string[] = [];
  const step = (
    name: string,
    needs: string[],
    work: () => Promise<void> = () => delay(1),
  ): Step => ({
    name,
    needs,
    run: async () => {
      events.push(`${name} starts`);
      await work();
      events.push(`${name} ends`);
    },
  });
  return { events, step };
}

test('a step starts only after all that it needs have ended', async () => {
  const { events, step } = recorder();
  await runGraph([step('c', ['a', 'b']), step('a', []), step('b', ['a'])], never);
  expect(events).toEqual(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
});

test('steps that need nothing of each other run side by side', async () => {
  const { events, step } = recorder();
  await runGraph([step('a', []), step('b', [])], never);
  expect(events.slice(0, 2)).toEqual(['a starts', 'b starts']);
});

test('a failure aborts those that run, starts no more, and is the error that comes out', async () => {
  const { events, step } = recorder();
  const aborted = Promise.withResolvers<void>();
  const long: Step = {
    name: 'long',
    needs: [],
    run: (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.resolve();
          reject(new Error('a consequence'));
        });
      }),
  };
  const failing = step('failing', [], () => Promise.reject(new Error('the cause')));
  await expect(runGraph([long, failing, step('later', ['failing'])], never)).rejects.toThrow(
    'the cause',
  );
  await aborted.promise;
  expect(events).toEqual(['failing starts']);
});

test('an abort from outside starts no further step and comes out as its own reason', async () => {
  const { events, step } = recorder();
  const controller = new AbortController();
  const stopping = step('a', [], async () => controller.abort(new Error('Ctrl-C')));
  await expect(runGraph([stopping, step('b', ['a'])], controller.signal)).rejects.toThrow('Ctrl-C');
  expect(events).toEqual(['a starts', 'a ends']);
});

test('an abort during the last step still rejects: the start must not pass as complete', async () => {
  const { step } = recorder();
  const controller = new AbortController();
  const last = step('a', [], async () => controller.abort(new Error('Ctrl-C')));
  await expect(runGraph([last], controller.signal)).rejects.toThrow('Ctrl-C');
});

test('a need that does not exist, a circle and a double name are refused before anything starts', () => {
  const { step } = recorder();
  expect(() => checkGraph([step('a', ['b'])])).toThrow('a needs b, which does not exist');
  expect(() => checkGraph([step('a', ['b']), step('b', ['a'])])).toThrow(
    'wait for each other: a, b',
  );
  expect(() => checkGraph([step('a', []), step('a', [])])).toThrow('Two steps have one name');
});
