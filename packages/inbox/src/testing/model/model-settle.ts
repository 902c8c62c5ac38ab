import type { Mark } from '../../decide/decide.ts';
import { decide } from '../../decide/decide.ts';
import type { Rejected } from '../../decide/plan.ts';
import type { Delivery } from '../../delivery.ts';
import { InfrastructureError, InvalidEventError } from '../../errors.ts';
import type { RoutedRecord } from '../../route/routed-record.ts';
import { toDeadLetter, type DeadLetterReason } from '../../route/to-dead-letter.ts';
import { toRetry } from '../../route/to-retry.ts';
import { modelApply, type Memory, type ModelApplied } from './model-apply.ts';
import { group, strikes, type Model, type Steps } from './model.ts';

/** process-batch.ts: apply, then publish what failed, then take routed rows out of parking. `later` postpones the publish. */
function* modelProcess(
  model: Model,
  memory: Memory,
  deliveries: readonly Delivery[],
  later?: (publish: () => Steps) => void,
): Steps<readonly string[]> {
  const result = yield* modelApply(model, memory, deliveries);
  yield 'step';
  if (later) {
    later(() => route(model, result));
    return result.drainable;
  }
  const { unblocked, routed } = yield* publishFailures(model, result);
  yield 'step';
  model.database.unpark(routed.filter((one) => one.takenFrom === 'parked'));
  yield 'step';
  return [...new Set([...result.drainable, ...unblocked])];
}

function* route(model: Model, result: ModelApplied): Steps {
  yield* publishFailures(model, result);
}

/** settle-source.ts and drain.ts: what a batch set free is applied too; when that fails, the sweep does it. */
export function* modelSettle(
  model: Model,
  memory: Memory,
  deliveries: readonly Delivery[],
  later?: (publish: () => Steps) => void,
): Steps {
  if (deliveries.length === 0) return;
  const drainable = yield* modelProcess(model, memory, deliveries, later);
  try {
    yield* modelDrain(model, memory, drainable);
  } catch (error) {
    if (!(error instanceof InfrastructureError)) throw error;
  }
}

function* modelDrain(model: Model, memory: Memory, ids: readonly string[]): Steps {
  for (const id of ids) {
    for (;;) {
      yield 'step';
      const ready = model.database.nextParked(id, 2);
      if (ready.length === 0) break;
      yield* modelProcess(model, memory, ready);
    }
  }
}

/** sweep.ts */
export function* modelSweep(model: Model, memory: Memory): Steps {
  const { database } = model;
  const ids = [...database.marks]
    .filter(([id, mark]) => (database.parkedOf(id)[0]?.identity.version ?? Infinity) <= mark.version + 1)
    .map(([id]) => id);
  if (ids.length === 0) return;
  const owner = {};
  let drainable: string[];
  try {
    yield 'step';
    while (!database.lock(owner, ids)) yield 'step';
    yield 'step';
    drainable = database.clearPassed(new Map(ids.map((id) => [id, database.mark(id)])));
  } finally {
    database.release(owner);
  }
  yield* modelDrain(model, memory, drainable);
}

interface Routed {
  readonly unblocked: readonly string[];
  readonly routed: readonly Delivery[];
}

/** route-failures.ts */
function* publishFailures(model: Model, result: ModelApplied): Steps<Routed> {
  const retries: RoutedRecord[] = [];
  const invalid = [...result.invalid];
  const spent: Rejected[] = [];
  for (const rejected of result.failed) {
    const { delivery, error } = rejected;
    if (error instanceof InvalidEventError) {
      invalid.push(rejected);
      continue;
    }
    const retry = toRetry(group, model.settings, delivery, error, model.nowMs, () => model.random.fraction());
    if (retry) retries.push(retry);
    else spent.push(rejected);
  }
  yield* publish(model, retries);
  const conflict = new InvalidEventError('conflict');
  yield* publish(model, [
    ...invalid.map((one) => letter(model, one, 'invalid-event')),
    ...spent.map((one) => letter(model, one, 'attempts-exhausted')),
    ...result.conflicts.map((delivery) => letter(model, { delivery, error: conflict }, 'conflict')),
  ]);
  const dead = [...invalid, ...spent].map((one) => one.delivery);
  const unblocked = model.afterDeadLetter === 'skip' ? yield* skipPast(model, dead) : [];
  return { unblocked, routed: [...result.failed, ...result.invalid].map((one) => one.delivery) };
}

function letter(model: Model, { delivery, error }: Rejected, reason: DeadLetterReason): RoutedRecord {
  const { record, attempt, firstFailedAtMs } = delivery;
  return toDeadLetter(
    group,
    { record, reason, error, attempts: attempt, firstFailedAtMs, bare: undefined },
    model.nowMs,
  );
}

/** Some of the records may be stored although the publish fails: the answer was lost. */
function* publish(model: Model, records: readonly RoutedRecord[]): Steps {
  if (records.length === 0) return;
  yield 'step';
  const fails = strikes(model, 'publishErrors', 0.2);
  const stored = fails ? model.random.below(records.length + 1) : records.length;
  for (const record of records.slice(0, stored)) {
    model.log(`stored ${String(record.headers['id'])} in ${record.topic}`);
    model.kafka.append(record, model.nowMs);
  }
  if (fails) throw new InfrastructureError('no answer to a publish');
}

/** skip-past.ts */
function* skipPast(model: Model, dead: readonly Delivery[]): Steps<readonly string[]> {
  if (dead.length === 0) return [];
  const { database } = model;
  const owner = {};
  try {
    yield 'step';
    while (
      !database.lock(
        owner,
        dead.map((one) => one.identity.aggregateId),
      )
    )
      yield 'step';
    yield 'step';
    const moved = new Map<string, Mark>();
    const markers: Delivery[] = [];
    for (const delivery of dead) {
      const { identity } = delivery;
      const decision = decide(moved.get(identity.aggregateId) ?? database.mark(identity.aggregateId), identity);
      if (decision === 'apply') {
        moved.set(identity.aggregateId, identity);
        database.skip(identity);
        model.log(`skipped ${identity.eventId}`);
      }
      if (decision === 'park') markers.push({ ...delivery, kind: 'skip-marker' });
    }
    database.park(markers);
    database.moveMarks(moved);
    return database.clearPassed(moved);
  } finally {
    database.release(owner);
  }
}
