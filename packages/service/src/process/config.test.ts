import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, configFields, readConfig } from './config.ts';

const schema = z.object({
  ...configFields.process('example'),
  HTTP_PORT: configFields.port().default(8080),
  KAFKA_BROKERS: configFields.addresses(),
  DATABASE_PASSWORD: z.string().min(8).describe('8 characters or more'),
  LEGACY: configFields.onOff('on'),
});
const good = { KAFKA_BROKERS: 'a:1,b:2', DATABASE_PASSWORD: 'long enough' };

test('readConfig reads, converts and freezes what the schema names, and nothing else', () => {
  const config = readConfig(schema, { ...good, HTTP_PORT: '0', LEGACY: 'off', OTHER: 'x' });
  expect(config).toEqual({
    INSTANCE: 'example',
    LOG_LEVEL: 'info',
    HTTP_PORT: 0,
    KAFKA_BROKERS: ['a:1', 'b:2'],
    DATABASE_PASSWORD: 'long enough',
    LEGACY: false,
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test('readConfig reports all problems at once, each with the value given and what it must be, and hides secrets', () => {
  const env = { HTTP_PORT: '70000', DATABASE_PASSWORD: 'hunter2', LOG_LEVEL: 'loud' };
  expect(() => readConfig(schema, env)).toThrow(
    new ConfigError(
      [
        'The configuration cannot be used:',
        '  LOG_LEVEL: got "loud", must be one of fatal, error, warn, info, debug, trace, silent',
        '  HTTP_PORT: got "70000", must be a port number from 0 to 65535',
        '  KAFKA_BROKERS: not set, must be host:port addresses with commas between',
        '  DATABASE_PASSWORD: got a value (hidden), must be 8 characters or more',
      ].join('\n'),
    ),
  );
});

test('a variable is read under its former name where its own is not set', () => {
  const renamed = z.object({ SHUTDOWN_DELAY_MS: configFields.shutdownDelayMs() });
  expect(readConfig(renamed, { DRAIN_MS: '7' }).SHUTDOWN_DELAY_MS).toBe(7);
  expect(readConfig(renamed, { DRAIN_MS: '7', SHUTDOWN_DELAY_MS: '8' }).SHUTDOWN_DELAY_MS).toBe(8);
  const file = join(mkdtempSync(join(tmpdir(), 'former-name-')), 'delay');
  writeFileSync(file, '9\n');
  expect(readConfig(renamed, { DRAIN_MS_FILE: file }).SHUTDOWN_DELAY_MS).toBe(9);
  expect(
    readConfig(renamed, { DRAIN_MS: '7', SHUTDOWN_DELAY_MS_FILE: file }).SHUTDOWN_DELAY_MS,
  ).toBe(9);
});

test('an empty variable counts as not set', () => {
  expect(readConfig(schema, { ...good, HTTP_PORT: '' }).HTTP_PORT).toBe(8080);
});

describe('NAME_FILE', () => {
  const folder = mkdtempSync(join(tmpdir(), 'read-config-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (text: string): string => {
    const file = join(folder, `${randomUUID()}.txt`);
    writeFileSync(file, text);
    return file;
  };
  const fromFile = (DATABASE_PASSWORD_FILE: string, more = {}) =>
    readConfig(schema, { KAFKA_BROKERS: 'a:1', DATABASE_PASSWORD_FILE, ...more });

  test('gives the value of NAME, without the line break at its end', () => {
    expect(fromFile(write(' long enough\n')).DATABASE_PASSWORD).toBe(' long enough');
  });

  test('is refused beside the variable itself', () => {
    expect(() => fromFile(write('long enough'), { DATABASE_PASSWORD: 'long enough' })).toThrow(
      'set one of them',
    );
  });

  test('a missing or empty file is one line of the report, and the variable is not reported twice', () => {
    expect(() => fromFile('/no/such/file')).toThrow(
      new ConfigError(
        'The configuration cannot be used:\n' +
          '  DATABASE_PASSWORD_FILE: got "/no/such/file", which cannot be read (ENOENT): create it, or make it readable',
      ),
    );
    expect(() => fromFile(write('\n'))).toThrow('which is empty');
  });

  test('a wrong value in a file is reported and hidden', () => {
    const file = write('short');
    expect(() => fromFile(file)).toThrow(
      'DATABASE_PASSWORD: got a value (hidden), must be 8 characters or more',
    );
    expect(() => fromFile(file)).not.toThrow('short');
  });
});
