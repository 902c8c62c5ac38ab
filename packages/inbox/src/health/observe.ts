import { headerNames } from '@board/contracts';
import type { Logger } from '@board/service';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Applied } from '../decide.ts';
import type { InboxClock } from '../clock.ts';
import { type DeadLetterReason, type Delivery, headerText, traceparentOf } from '../record.ts';

export interface InboxMetrics {
  applied(count: number, commitToAppliedMs: readonly number[]): void;
  duplicates(count: number): void;
  parked(count: number): void;
  retried(tier: number): void;
  deadLettered(reason: DeadLetterReason): void;
  rerun(): void;
  waiting(kind: string): void;
  /** `records` is undefined when the partition is another instance's. */
  lag(topic: string, partition: number, records: number | undefined): void;
  circuitBreaker(open: boolean): void;
  openDeadLetters(byReason: ReadonlyMap<DeadLetterReason, number>): void;
  parkedNow(rows: number, bytes: number, oldestAgeMs: number): void;
}

const latencyBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function createInboxMetrics(registry: Registry): InboxMetrics {
  const registers = [registry];
  const applied = new Counter({
    name: 'inbox_applied_total',
    help: 'Events whose effect was committed',
    registers,
  });
  const duplicates = new Counter({
    name: 'inbox_duplicates_total',
    help: 'Events skipped because the mark had passed them',
    registers,
  });
  const parked = new Counter({
    name: 'inbox_parked_total',
    help: 'Events parked behind a missing predecessor',
    registers,
  });
  const retried = new Counter({
    name: 'inbox_retries_total',
    help: 'Events published to a retry topic',
    labelNames: ['tier'],
    registers,
  });
  const dead = new Counter({
    name: 'inbox_dead_letters_total',
    help: 'Records published to the DLQ',
    labelNames: ['reason'],
    registers,
  });
  const reruns = new Counter({
    name: 'inbox_transaction_reruns_total',
    help: 'Transactions run again after a deadlock or lock wait',
    registers,
  });
  const waits = new Counter({
    name: 'inbox_waits_total',
    help: 'Pauses of a partition',
    labelNames: ['kind'],
    registers,
  });
  const lag = new Gauge({
    name: 'inbox_lag_records',
    help: 'Records after the committed offset',
    labelNames: ['topic', 'partition'],
    registers,
  });
  const open = new Gauge({
    name: 'inbox_open_dead_letters',
    help: 'Dead letters that are not replayed, skipped or dismissed',
    labelNames: ['reason'],
    registers,
  });
  const breaker = new Gauge({
    name: 'inbox_circuit_breaker_open',
    help: '1 while the circuit breaker is open',
    registers,
  });
  // Its former name, kept for one release.
  const floodGuard = new Gauge({
    name: 'inbox_flood_guard_open',
    help: 'The same as inbox_circuit_breaker_open',
    registers,
  });
  const rows = new Gauge({ name: 'inbox_parked_rows', help: 'Events parked now', registers });
  const bytes = new Gauge({
    name: 'inbox_parked_bytes',
    help: 'Size of the events parked now',
    registers,
  });
  const age = new Gauge({
    name: 'inbox_parked_oldest_seconds',
    help: 'Age of the event parked longest',
    registers,
  });
  const latency = new Histogram({
    name: 'inbox_commit_to_applied_seconds',
    help: 'From the change (occurredAt) to its committed effect',
    buckets: latencyBuckets,
    registers,
  });
  return {
    applied(count, latenciesMs) {
      applied.inc(count);
      for (const ms of latenciesMs) latency.observe(Math.max(0, ms) / 1_000);
    },
    duplicates: (count) => duplicates.inc(count),
    parked: (count) => parked.inc(count),
    retried: (tier) => retried.inc({ tier }),
    deadLettered: (reason) => dead.inc({ reason }),
    rerun: () => reruns.inc(),
    waiting: (kind) => waits.inc({ kind }),
    lag(topic, partition, records) {
      if (records === undefined) lag.remove({ topic, partition });
      else lag.set({ topic, partition }, records);
    },
    circuitBreaker(isOpen) {
      breaker.set(Number(isOpen));
      floodGuard.set(Number(isOpen));
    },
    openDeadLetters(byReason) {
      open.reset();
      for (const [reason, count] of byReason) open.set({ reason }, count);
    },
    parkedNow(rowCount, byteCount, oldestAgeMs) {
      rows.set(rowCount);
      bytes.set(byteCount);
      age.set(oldestAgeMs / 1_000);
    },
  };
}

/** Container runtimes cut lines at 16 KiB, and half a line is no JSON. */
const eventsPerLine = 50;

/** A delivery as log lines name it: by these fields `npm run trace` finds it. */
export function describeDelivery({
  identity,
  record,
  attempt,
  takenFrom,
}: Delivery): Record<string, unknown> {
  return {
    aggregateId: identity.aggregateId,
    version: identity.version,
    eventId: identity.eventId,
    attempt,
    takenFrom,
    partition: record.origin.partition,
    offset: record.origin.offset,
    traceparent: traceparentOf(record.headers),
  };
}

/** Logs many events in few lines: a line for each would cost the consumer a write for each. */
export function logDeliveries(
  logger: Logger,
  event: 'inbox.applied' | 'inbox.parked',
  deliveries: readonly Delivery[],
): void {
  for (let from = 0; from < deliveries.length; from += eventsPerLine)
    logger.info({
      event,
      events: deliveries.slice(from, from + eventsPerLine).map(describeDelivery),
    });
}

/** Counts what a batch's transaction has committed, and logs its events: ids, never payloads. */
export function observeApplied(
  { metrics, logger, clock }: { metrics: InboxMetrics; logger: Logger; clock: InboxClock },
  result: Applied,
): void {
  const nowMs = clock.now();
  metrics.applied(
    result.applied.length,
    result.applied.flatMap((delivery) => sinceOccurred(delivery, nowMs)),
  );
  metrics.duplicates(result.duplicates.length);
  metrics.parked(result.parked.length);
  logDeliveries(logger, 'inbox.applied', result.applied);
  logDeliveries(logger, 'inbox.parked', result.parked);
  if (result.duplicates.length > 0)
    logger.debug({ event: 'inbox.duplicates', count: result.duplicates.length });
}

function sinceOccurred(delivery: Delivery, nowMs: number): number[] {
  const occurredAtMicros = Number(headerText(delivery.record.headers, headerNames.occurredAt));
  return Number.isFinite(occurredAtMicros) ? [nowMs - occurredAtMicros / 1_000] : [];
}
