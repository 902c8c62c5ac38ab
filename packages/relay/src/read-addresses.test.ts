import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { readAddresses } from './read-addresses.ts';

const noStack = 'no-such-stack';

describe('readAddresses', () => {
  it('takes what the environment says', () => {
    expect(
      readAddresses({ CONNECT_URL: 'http://connect:8083', KAFKA_BROKERS: 'kafka-1:9092,kafka-2:9092' }, noStack),
    ).toEqual({
      connectUrl: 'http://connect:8083',
      brokers: ['kafka-1:9092', 'kafka-2:9092'],
    });
  });

  it('names EVERY wrong variable, what it got and what it takes', () => {
    expect(() => readAddresses({ CONNECT_URL: 'connect', KAFKA_BROKERS: 'kafka-1' }, noStack)).toThrow(
      'CONNECT_URL is "connect", it takes an address such as http://127.0.0.1:8083\n' +
        'KAFKA_BROKERS is "kafka-1", it takes a list such as 127.0.0.1:19092,127.0.0.1:19093',
    );
  });

  it('says which stack does NOT RUN and how to start it, when the environment names no servers', () => {
    expect(() => readAddresses({}, noStack)).toThrow(
      'The stack "no-such-stack" does not run, and the environment names no other servers: ' +
        'start it with "npm start -- --instance no-such-stack", or set CONNECT_URL and KAFKA_BROKERS.',
    );
  });

  it('says what is not set beside the one that is', () => {
    expect(() => readAddresses({ CONNECT_URL: 'http://connect:8083' }, noStack)).toThrow('KAFKA_BROKERS is not set');
  });

  describe('of a local stack', () => {
    const name = `test-${process.pid}`;
    const folder = new URL(`../.stack/${name}/`, import.meta.url);
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    function remember(phase: string, pid: number): void {
      mkdirSync(new URL('run', folder), { recursive: true });
      writeFileSync(new URL('ports.json', folder), JSON.stringify({ offset: 1000 }));
      writeFileSync(new URL('run/state.json', folder), JSON.stringify({ phase, supervisor: { pid } }));
    }

    it('takes its ports while it runs', () => {
      remember('ready', process.pid);
      expect(readAddresses({}, name)).toMatchObject({ connectUrl: 'http://127.0.0.1:9083' });
    });

    it.each([
      ['was STOPPED', 'stopped', process.pid],
      ['was KILLED', 'ready', 2 ** 22],
    ])('has none when it %s', (_what, phase, pid) => {
      remember(phase, pid);
      expect(() => readAddresses({}, name)).toThrow(`The stack "${name}" does not run`);
    });
  });
});
