import { describe, expect, it } from 'vitest';
import { readAddresses } from './src/read-addresses.ts';

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

  it('says what is not set when no local stack is there', () => {
    expect(() => readAddresses({}, noStack)).toThrow('CONNECT_URL is not set');
  });
});
