import { expect, test } from 'vitest';
import { identifyProcess, isRunning, parseStat, signalProcess } from './process-identity.ts';

const fields = Array.from({ length: 30 }, (_, index) => String(index + 4));

test("the start time is field 22, also when the command's name holds spaces and brackets", () => {
  expect(parseStat(`7 (a) S 1) b) R ${fields.join(' ')}`)).toEqual({ state: 'R', startTime: '22' });
});

test('this process is itself, and not one with another start time or of another boot', () => {
  const self = identifyProcess(process.pid);
  if (self === undefined) throw new Error('this process runs');
  expect(isRunning(self)).toBe(true);
  expect(isRunning({ ...self, startTime: '1' })).toBe(false);
  expect(isRunning({ ...self, bootId: 'another' })).toBe(false);
});

test('a signal to a pid that now belongs to another process is not sent', () => {
  const self = identifyProcess(process.pid);
  if (self === undefined) throw new Error('this process runs');
  expect(signalProcess({ ...self, startTime: '1' }, 'SIGKILL')).toBe(false);
});

test('a pid that no process has identifies nothing', () => {
  expect(identifyProcess(2 ** 22 + 1)).toBeUndefined();
});
