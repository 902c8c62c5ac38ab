import { expect, test } from 'vitest';
import { createScope } from './run-service.ts';

test('closes LAST first, ALL of them, keeps the FIRST error, and only once', async () => {
  const scope = createScope();
  const closed: string[] = [];
  scope.defer('first', () => void closed.push('first'));
  scope.defer('second', () => {
    closed.push('second');
    throw new Error('second broke');
  });
  scope.defer('third', () => Promise.reject(new Error('third broke')));

  const wanted = new Error('third did not close', { cause: new Error('third broke') });
  await expect(scope.close()).rejects.toEqual(wanted);
  await expect(scope.close()).rejects.toEqual(wanted);
  expect(closed).toEqual(['second', 'first']);
});

test('the signal aborts BEFORE the first closer runs', async () => {
  const scope = createScope();
  let aborted = false;
  scope.defer('probe', () => (aborted = scope.signal.aborted));
  await scope.close();
  expect(aborted).toBe(true);
});
