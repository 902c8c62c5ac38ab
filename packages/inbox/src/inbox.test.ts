import { expect, it } from 'vitest';
import { createKeyedMutex } from './inbox.ts';

it('runs what has the same key one after the other, in the order asked for, and other keys meanwhile', async () => {
  const mutex = createKeyedMutex();
  const gate = Promise.withResolvers<void>();
  const done: string[] = [];
  const first = mutex.run('a', async () => {
    await gate.promise;
    done.push('first of a');
  });
  const second = mutex.run('a', () => Promise.resolve(done.push('second of a')));
  await mutex.run('b', () => Promise.resolve(done.push('first of b')));
  gate.resolve();
  await Promise.all([first, second]);
  expect(done).toEqual(['first of b', 'first of a', 'second of a']);
});

it('passes a failure to its caller, and runs the next work of the key', async () => {
  const mutex = createKeyedMutex();
  const failing = mutex.run('a', () => Promise.reject(new Error('planted')));
  const next = mutex.run('a', () => Promise.resolve('done'));
  await expect(failing).rejects.toThrow('planted');
  expect(await next).toBe('done');
});
