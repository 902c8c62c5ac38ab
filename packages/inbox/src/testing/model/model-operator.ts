import { toReplay } from '../../operate/to-replay.ts';
import { lettersOf, type ModelLetter } from './check-model.ts';
import { group, type Model, type Steps } from './model.ts';

/** Sends a dead letter back to the group's first retry topic. */
export function replayLetter(model: Model, { record, identity }: ModelLetter): void {
  model.log(`replayed ${identity.eventId}`);
  model.kafka.append(toReplay(group, record, model.nowMs), model.nowMs);
}

/** Moves a mark past the dead letter before which it stands. */
export function* skipByHand(model: Model, { identity }: ModelLetter): Steps {
  const { database } = model;
  const owner = {};
  const { aggregateId, version, eventId } = identity;
  try {
    while (!database.lock(owner, [aggregateId])) yield 'step';
    yield 'step';
    if (database.mark(aggregateId).version !== version - 1) return;
    model.log(`skipped ${eventId} by hand`);
    database.skip(identity);
    const moved = new Map([[aggregateId, { version, eventId }]]);
    database.moveMarks(moved);
    database.clearPassed(moved);
  } finally {
    database.release(owner);
  }
}

export function openLetters(model: Model): ModelLetter[] {
  return lettersOf(model).filter(
    ({ identity }) => identity.version > model.database.mark(identity.aggregateId).version,
  );
}
