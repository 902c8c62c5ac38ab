import { headerNames } from '@board/contracts';
import { createLogger } from '@board/service';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { Delivery } from '../record.ts';
import { toHeaders } from '../../test/support/to-headers.ts';
import { createInboxMetrics, logDeliveries } from './observe.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

function delivery(
  version: number,
  headers = toHeaders({ [headerNames.traceparent]: traceparent }),
): Delivery {
  return {
    kind: 'event',
    identity: {
      aggregateId: '019b0000-0000-7000-8000-000000000001',
      version,
      eventId: '019b0000-0000-7000-8000-0000000000e1',
    },
    takenFrom: 'source',
    attempt: 1,
    firstFailedAtMs: undefined,
    replayed: false,
    record: {
      origin: { topic: 'board', partition: 2, offset: '9007199254740993', timestampMs: 0 },
      key: null,
      value: Buffer.from('what people wrote'),
      headers,
    },
  };
}

function log(deliveries: readonly Delivery[]): string[] {
  const lines: string[] = [];
  const logger = createLogger({
    name: 'test',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  logDeliveries(logger, 'inbox.applied', deliveries);
  return lines;
}

const versionsIn = (line: string): number[] =>
  (JSON.parse(line) as { events: { version: number }[] }).events.map((one) => one.version);

it('names every event once, in order, in lines that container runtimes do not cut', () => {
  const versions = Array.from({ length: 501 }, (_, index) => 4_000_000_000 + index);
  const lines = log(versions.map((version) => delivery(version)));
  expect(lines.flatMap(versionsIn)).toEqual(versions);
  expect(lines.length).toBeLessThan(20);
  for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThan(16 * 1024);
});

it('says which event, by which request, from where, and nothing of its payload', () => {
  const [line = ''] = log([delivery(7)]);
  expect(JSON.parse(line)).toMatchObject({
    event: 'inbox.applied',
    name: 'test',
    events: [
      {
        aggregateId: '019b0000-0000-7000-8000-000000000001',
        version: 7,
        eventId: '019b0000-0000-7000-8000-0000000000e1',
        attempt: 1,
        takenFrom: 'source',
        partition: 2,
        offset: '9007199254740993',
        traceparent,
      },
    ],
  });
  expect(line).not.toContain('wrote');
});

it('cuts a traceparent that is not one, so that log lines stay short', () => {
  const [line = ''] = log([
    delivery(1, toHeaders({ [headerNames.traceparent]: Buffer.alloc(100_000, 'x') })),
  ]);
  expect(line.length).toBeLessThan(1_000);
});

it('writes no line without an event', () => {
  expect(log([])).toEqual([]);
});

it('shows the circuit breaker under its former name too, for one release', async () => {
  const registry = new Registry();
  createInboxMetrics(registry).circuitBreaker(true);
  const shown = await registry.metrics();
  expect(shown).toMatch(/^inbox_circuit_breaker_open 1$/m);
  expect(shown).toMatch(/^inbox_flood_guard_open 1$/m);
});
