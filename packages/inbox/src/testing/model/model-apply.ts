import type { Mark } from '../../decide/decide.ts';
import { planBatch, type Rejected, type Step } from '../../decide/plan.ts';
import type { Delivery } from '../../delivery.ts';
import { InfrastructureError, InvalidEventError } from '../../errors.ts';
import type { Message } from '../../handler.ts';
import { strikes, type Model, type Steps } from './model.ts';

export interface ModelApplied {
  readonly drainable: readonly string[];
  readonly failed: readonly Rejected[];
  readonly invalid: readonly Rejected[];
  readonly conflicts: readonly Delivery[];
}

/** What one process remembers; gone when it dies. */
export interface Memory {
  readonly marks: Map<string, Mark>;
}

/** The transaction of apply-batch.ts: locks, decision, effect, commit, with somebody else's turn between them. */
export function* modelApply(model: Model, memory: Memory, deliveries: readonly Delivery[]): Steps<ModelApplied> {
  const { database, bug } = model;
  if (bug === 'park-without-lock') {
    const early = parkedByPlan(model, deliveries);
    if (early.length > 0) {
      yield 'step';
      database.park(early);
      deliveries = deliveries.filter((delivery) => !early.includes(delivery));
      if (deliveries.length === 0) return { drainable: [], failed: [], invalid: [], conflicts: [] };
    }
  }
  const owner = {};
  const ids = [...new Set(deliveries.map((one) => one.identity.aggregateId))];
  try {
    while (!database.lock(owner, ids)) yield 'step';
    yield 'step';
    const marks = new Map(ids.map((id) => [id, bug === 'marks-in-memory' ? inMemory(memory, id) : database.mark(id)]));
    const replayed = deliveries.filter((one) => one.replayed && database.isSkipped(one.identity));
    const plan = planBatch({
      deliveries,
      marks,
      reopened: new Set(replayed.map((one) => one.identity.eventId)),
      knownFailures: new Map(),
      toMessage: (delivery) => decode(model, delivery),
    });
    yield 'step';
    const { done, failed, displaced } = handleSteps(model, plan.steps);
    yield 'step';
    if (strikes(model, 'databaseErrors', 0.1)) throw new InfrastructureError('the database is away');
    // What cannot be decoded is judged in its turn only, and a failed predecessor has put that off.
    const postponed = new Set(failed.map((one) => one.delivery.identity.aggregateId));
    const early =
      bug === 'judged-before-its-turn'
        ? []
        : plan.invalid.filter((one) => postponed.has(one.delivery.identity.aggregateId));
    const parked = [...plan.park, ...[...displaced, ...early].map((one) => one.delivery)].filter(
      (one) => one.takenFrom !== 'parked',
    );
    const conflicts = database.park(parked);
    const drainable = commit(model, memory, done);
    return {
      drainable,
      failed: [...plan.failed, ...failed],
      invalid: plan.invalid.filter((one) => !early.includes(one)),
      conflicts: [...plan.conflicts, ...conflicts],
    };
  } finally {
    database.release(owner);
  }
}

function commit(model: Model, memory: Memory, done: readonly Step<unknown>[]): string[] {
  const { database, bug } = model;
  const moved = new Map<string, Mark>();
  for (const step of done) {
    const { identity } = step.delivery;
    if (step.kind === 'pass') database.skip(identity);
    else database.addEffect(identity);
    if (step.kind === 'handle' && !step.movesMark) database.forgetSkip(identity);
    else moved.set(identity.aggregateId, identity);
  }
  if (bug === 'marks-in-memory') for (const [id, mark] of moved) memory.marks.set(id, mark);
  else database.moveMarks(moved);
  for (const { delivery } of done)
    model.log(`applied ${delivery.identity.eventId} from ${delivery.takenFrom}, attempt ${delivery.attempt}`);
  return database.clearPassed(moved);
}

function parkedByPlan(model: Model, deliveries: readonly Delivery[]): readonly Delivery[] {
  const marks = new Map(
    deliveries.map(({ identity }) => [identity.aggregateId, model.database.mark(identity.aggregateId)]),
  );
  return planBatch({
    deliveries,
    marks,
    reopened: new Set(),
    knownFailures: new Map(),
    toMessage: (delivery) => decode(model, delivery),
  }).park;
}

function inMemory(memory: Memory, id: string): Mark {
  return memory.marks.get(id) ?? { version: 0, eventId: '' };
}

function decode(model: Model, delivery: Delivery): Message<unknown> {
  const { identity, attempt } = delivery;
  if (!model.mended && model.behaviours.get(identity.eventId)?.invalid === 'in-decoding')
    throw new InvalidEventError('planted');
  return { event: {}, ...identity, attempt, traceparent: undefined };
}

/** The outcome of run-handler.ts: one guilty event is undone, its aggregate's followers wait. */
function handleSteps(model: Model, steps: readonly Step<unknown>[]) {
  const done: Step<unknown>[] = [];
  const failed: Rejected[] = [];
  const displaced: Step<unknown>[] = [];
  const blocked = new Set<string>();
  for (const step of steps) {
    const { delivery } = step;
    const { aggregateId, eventId } = delivery.identity;
    if (blocked.has(aggregateId)) {
      displaced.push(step);
      continue;
    }
    const error = step.kind === 'handle' && !model.mended ? call(model, eventId) : undefined;
    if (error === undefined) done.push(step);
    else {
      model.log(`failed ${eventId}, attempt ${delivery.attempt}`);
      failed.push({ delivery, error });
      blocked.add(aggregateId);
    }
  }
  return { done, failed, displaced };
}

function call(model: Model, eventId: string): Error | undefined {
  const calls = (model.calls.get(eventId) ?? 0) + 1;
  model.calls.set(eventId, calls);
  const behaviour = model.behaviours.get(eventId);
  if (behaviour?.invalid === 'in-handler') return new InvalidEventError('planted');
  return calls <= (behaviour?.failures ?? 0) ? new Error('planted') : undefined;
}
