import type { Delivery } from '../../delivery.ts';
import { toDelivery } from '../../consume/settle-source.ts';
import { probeAggregateId } from '../../decide/identity.ts';
import { InfrastructureError } from '../../errors.ts';
import type { SourceRecord } from '../../record.ts';
import { fromRetry } from '../../route/from-retry.ts';
import { checkOffset } from './check-model.ts';
import type { Memory } from './model-apply.ts';
import { modelSettle, modelSweep } from './model-settle.ts';
import { sourceTopic, type Model, type Steps } from './model.ts';

interface Verdict {
  readonly settled: number;
  readonly waitMs?: number;
}

/** partition-loop.ts: settle a slice, then commit its offset, until another member owns the partition. */
export function* modelConsume(
  model: Model,
  memory: Memory,
  { topic, partition, generation }: { topic: string; partition: number; generation: number },
): Steps {
  const { kafka, bug } = model;
  let position = kafka.committed(topic, partition);
  while (kafka.isCurrent(topic, partition, generation)) {
    const slice = 1 + model.random.below(model.settings.batchRecords);
    const records = kafka.records(topic, partition).slice(position, position + slice);
    if (records.length === 0) {
      yield 'idle';
      continue;
    }
    if (bug === 'offset-before-transaction' && topic === sourceTopic) {
      kafka.commit(topic, partition, position + records.length, generation);
      yield 'step';
    }
    const postponed: (() => Steps)[] = [];
    const later = bug === 'publish-after-offset' ? (publish: () => Steps) => postponed.push(publish) : undefined;
    let verdict: Verdict;
    try {
      verdict =
        topic === sourceTopic
          ? yield* settleSource(model, memory, records, later)
          : yield* settleRetry(model, memory, records, later);
    } catch (error) {
      if (!(error instanceof InfrastructureError)) throw error;
      yield 'step';
      continue;
    }
    yield 'step';
    if (verdict.settled > 0) {
      if (!kafka.commit(topic, partition, position + verdict.settled, generation)) return;
      if (bug === undefined) checkOffset(model, records.slice(0, verdict.settled));
      position += verdict.settled;
    }
    for (const publish of postponed) yield* untilDone(publish);
    const untilMs = model.nowMs + (verdict.waitMs ?? 0);
    while (model.nowMs < untilMs) yield 'idle';
  }
}

function* untilDone(publish: () => Steps): Steps {
  for (;;) {
    yield 'step';
    try {
      return yield* publish();
    } catch (error) {
      if (!(error instanceof InfrastructureError)) throw error;
    }
  }
}

function* settleSource(
  model: Model,
  memory: Memory,
  records: readonly SourceRecord[],
  later?: (publish: () => Steps) => void,
): Steps<Verdict> {
  const deliveries = records.map((record): Delivery => {
    const delivery = toDelivery(record, probeAggregateId);
    if ('problem' in delivery) throw new Error(delivery.problem);
    return delivery;
  });
  yield* modelSettle(model, memory, deliveries, later);
  return { settled: records.length };
}

/** settle-retry.ts: up to the first record that is not due. */
function* settleRetry(
  model: Model,
  memory: Memory,
  records: readonly SourceRecord[],
  later?: (publish: () => Steps) => void,
): Steps<Verdict> {
  const due: Delivery[] = [];
  let waitMs: number | undefined;
  for (const record of records) {
    const retry = fromRetry(record);
    if ('problem' in retry) throw new Error(retry.problem);
    if (retry.dueAtMs > model.nowMs) {
      waitMs = retry.dueAtMs - model.nowMs;
      break;
    }
    due.push(retry.delivery);
  }
  yield* modelSettle(model, memory, due, later);
  return waitMs === undefined ? { settled: due.length } : { settled: due.length, waitMs };
}

/** start-sweeper.ts */
export function* modelSweeper(model: Model, memory: Memory): Steps {
  for (;;) {
    yield 'idle';
    try {
      yield* modelSweep(model, memory);
    } catch (error) {
      if (!(error instanceof InfrastructureError)) throw error;
    }
  }
}
