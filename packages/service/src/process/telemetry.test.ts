import { expect, test } from 'vitest';
import { createLogger } from './telemetry.ts';

test('an error is logged with its causes, without the data that drivers attach to it', () => {
  const lines: string[] = [];
  const logger = createLogger({
    name: 'test',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  const driverError = Object.assign(new Error('refused'), { code: 'ER_X', sql: 'INSERT private' });
  const err = Object.assign(new TypeError('failed', { cause: driverError }), {
    parameters: ['private'],
  });
  logger.error({ event: 'example.failed', err });
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 50,
    name: 'test',
    event: 'example.failed',
    err: {
      type: 'TypeError',
      message: 'failed',
      cause: { type: 'Error', message: 'refused', code: 'ER_X' },
    },
  });
  expect(lines[0]).not.toContain('private');
});
