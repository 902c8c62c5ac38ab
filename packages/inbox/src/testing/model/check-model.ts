import { deadLetterTopicName, retryTopicName } from '@board/contracts';
import { identify, type Identity } from '../../decide/identity.ts';
import { headerText, type SourceRecord } from '../../record.ts';
import { deadLetterHeaders } from '../../route/route-headers.ts';
import { group, partitions, sourceTopic, type Model } from './model.ts';

/** An invariant that does not hold; the message names it. */
export class Violation extends Error {
  override name = 'Violation';
}

export interface ModelLetter {
  readonly record: SourceRecord;
  readonly identity: Identity;
  readonly reason: string;
}

/** Every copy in the DLQ. */
export function lettersOf(model: Model): ModelLetter[] {
  return recordsOf(model, deadLetterTopicName(group)).map((record) => ({
    record,
    identity: identityOf(record),
    reason: headerText(record.headers, deadLetterHeaders.reason) ?? '',
  }));
}

/** I7: a committed offset never passes a record that is not applied, parked or acknowledged elsewhere. */
export function checkOffset(model: Model, records: readonly SourceRecord[]): void {
  for (const record of records) {
    const identity = identityOf(record);
    const { aggregateId, version, eventId } = identity;
    if (version <= model.database.mark(aggregateId).version) continue;
    if (model.database.parkedOf(aggregateId).some((row) => row.identity.eventId === eventId)) continue;
    if (isOnItsWay(model, eventId)) continue;
    throw new Violation(`I7: the offset passes ${eventId}, which is nowhere`);
  }
}

/** After heal and drain: I1 no loss, I2 no phantom, I3 once, I4 order; nothing stuck. */
export function checkModel(model: Model): void {
  const { database } = model;
  const letters = lettersOf(model);
  const counts = new Map<string, number>();
  const last = new Map<string, number>();
  const committed = new Map(committedEvents(model).map((identity) => [identity.eventId, identity] as const));
  for (const { aggregateId, version, eventId } of database.effects) {
    if (!committed.has(eventId)) throw new Violation(`I2: ${eventId} was applied but never committed`);
    counts.set(eventId, (counts.get(eventId) ?? 0) + 1);
    if (counts.get(eventId) !== 1) throw new Violation(`I3: ${eventId} was applied twice`);
    if (version <= (last.get(aggregateId) ?? 0)) throw new Violation(`I4: ${eventId} was applied out of order`);
    last.set(aggregateId, version);
  }
  for (const identity of committed.values()) {
    const { aggregateId, version, eventId } = identity;
    const mark = database.mark(aggregateId).version;
    const applied = counts.has(eventId);
    const skipped = database.isSkipped(identity);
    const parked = database.parkedOf(aggregateId).some((row) => row.identity.eventId === eventId);
    if (applied && skipped) throw new Violation(`I4: ${eventId} is applied and skipped`);
    if (version <= mark && !applied && !skipped)
      throw new Violation(`I1: the mark passed ${eventId}, neither applied nor skipped`);
    if (version > mark && applied) throw new Violation(`I3: ${eventId} is applied, the mark is ${mark}`);
    if (version <= mark && parked) throw new Violation(`stuck: ${eventId} is parked below mark ${mark}`);
    if (version === mark + 1 && parked) throw new Violation(`stuck: ${eventId} is parked although it is its turn`);
    if (version === mark + 1 && !letters.some((letter) => letter.identity.eventId === eventId))
      throw new Violation(`I1: ${eventId} is lost: mark ${mark}, no dead letter`);
    if (version > mark + 1 && !parked) throw new Violation(`I1: ${eventId} is lost: mark ${mark}, not parked`);
  }
  checkLetters(model, letters);
}

/** I1 of the other kind: an event that would have succeeded is not given up. */
function checkLetters(model: Model, letters: readonly ModelLetter[]): void {
  for (const { identity, reason } of letters) {
    const behaviour = model.behaviours.get(identity.eventId);
    if (reason === 'conflict') throw new Violation(`${identity.eventId} is called a conflict`);
    if (reason === 'invalid-event' && behaviour?.invalid === 'never')
      throw new Violation(`${identity.eventId} is called invalid`);
    if (reason === 'attempts-exhausted' && (behaviour?.failures ?? 0) < model.settings.maxAttempts)
      throw new Violation(`${identity.eventId} was given up before its attempts were spent`);
  }
}

/** Once the operator has mended everything: every event is applied or was skipped, nothing waits. */
export function checkMended(model: Model): void {
  checkModel(model);
  for (const identity of committedEvents(model))
    if (identity.version > model.database.mark(identity.aggregateId).version)
      throw new Violation(`I8: ${identity.eventId} is not applied although everything was replayed`);
}

function committedEvents(model: Model): Identity[] {
  return recordsOf(model, sourceTopic).map(identityOf);
}

function isOnItsWay(model: Model, eventId: string): boolean {
  const isIt = (record: SourceRecord): boolean => identityOf(record).eventId === eventId;
  if (recordsOf(model, deadLetterTopicName(group)).some(isIt)) return true;
  for (let tier = 1; tier < model.settings.maxAttempts; tier += 1) {
    const topic = retryTopicName(group, tier);
    for (let partition = 0; partition < partitions; partition += 1) {
      const waiting = model.kafka.records(topic, partition).slice(model.kafka.committed(topic, partition));
      if (waiting.some(isIt)) return true;
    }
  }
  return false;
}

function recordsOf(model: Model, topic: string): SourceRecord[] {
  return Array.from({ length: partitions }, (_, partition) => model.kafka.records(topic, partition)).flat();
}

function identityOf(record: SourceRecord): Identity {
  const identity = identify(record.headers);
  if ('problem' in identity) throw new Error(identity.problem);
  return identity;
}
