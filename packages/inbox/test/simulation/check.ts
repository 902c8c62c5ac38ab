import { deadLetterTopicName, retryTopicName } from '@board/contracts';
import { identify } from '../../src/decide.ts';
import { deadLetterHeaders } from '../../src/fail/headers.ts';
import { headerText, type Identity, type SourceRecord } from '../../src/record.ts';
import type { MemoryDatabase } from '../support/memory-store/database.ts';
import { group, partitions, sourceTopic, type MemoryBroker } from './memory-broker.ts';
import type { Scenario } from './scenario.ts';

/** An invariant that does not hold; the message names it. */
export class Violation extends Error {
  override name = 'Violation';
}

export interface World {
  readonly scenario: Scenario;
  readonly database: MemoryDatabase;
  readonly broker: MemoryBroker;
  readonly maxAttempts: number;
}

export interface DeadLetterCopy {
  readonly record: SourceRecord;
  readonly identity: Identity;
  readonly reason: string;
}

/** Every copy in the DLQ. */
export function deadLettersOf({ broker }: World): DeadLetterCopy[] {
  return recordsOf(broker, deadLetterTopicName(group)).map((record) => ({
    record,
    identity: identityOf(record),
    reason: headerText(record.headers, deadLetterHeaders.reason) ?? '',
  }));
}

export function isOpen(world: World, { identity }: DeadLetterCopy): boolean {
  return identity.version > markOf(world, identity.aggregateId);
}

/**
 * I7: a committed offset never passes a record that is not applied, parked or acknowledged
 * elsewhere.
 */
export function checkOffset(world: World, record: SourceRecord): void {
  const { aggregateId, version, eventId } = identityOf(record);
  if (version <= markOf(world, aggregateId)) return;
  if (isParked(world, { aggregateId, version, eventId })) return;
  if (isOnItsWay(world, eventId, record)) return;
  throw new Violation(`I7: the offset passes ${eventId}, which is nowhere`);
}

/** After heal and drain: I1 no loss, I2 no phantom, I3 once, I4 order; nothing stuck. */
export function checkWorld(world: World): void {
  const { database } = world;
  const deadLetters = deadLettersOf(world);
  const counts = new Map<string, number>();
  const last = new Map<string, number>();
  const committed = new Map(
    committedEvents(world).map((identity) => [identity.eventId, identity] as const),
  );
  for (const { aggregateId, version, eventId } of database.tables.effects as readonly Identity[]) {
    if (!committed.has(eventId))
      throw new Violation(`I2: ${eventId} was applied but never committed`);
    counts.set(eventId, (counts.get(eventId) ?? 0) + 1);
    if (counts.get(eventId) !== 1) throw new Violation(`I3: ${eventId} was applied twice`);
    if (version <= (last.get(aggregateId) ?? 0))
      throw new Violation(`I4: ${eventId} was applied out of order`);
    last.set(aggregateId, version);
  }
  for (const identity of committed.values()) {
    const { aggregateId, version, eventId } = identity;
    const mark = markOf(world, aggregateId);
    const isApplied = counts.has(eventId);
    const isSkipped =
      database.tables.skipped.get(`${aggregateId}/${version}`)?.identity.eventId === eventId;
    const parked = isParked(world, identity);
    if (isApplied && isSkipped) throw new Violation(`I4: ${eventId} is applied and skipped`);
    if (version <= mark && !isApplied && !isSkipped)
      throw new Violation(`I1: the mark passed ${eventId}, neither applied nor skipped`);
    if (version > mark && isApplied)
      throw new Violation(`I3: ${eventId} is applied, the mark is ${mark}`);
    if (version <= mark && parked)
      throw new Violation(`stuck: ${eventId} is parked below mark ${mark}`);
    if (version === mark + 1 && parked)
      throw new Violation(`stuck: ${eventId} is parked although it is its turn`);
    if (version === mark + 1 && !deadLetters.some((one) => one.identity.eventId === eventId))
      throw new Violation(`I1: ${eventId} is lost: mark ${mark}, no dead letter`);
    if (version > mark + 1 && !parked)
      throw new Violation(`I1: ${eventId} is lost: mark ${mark}, not parked`);
  }
  checkReasons(world, deadLetters);
  // What the index does not know raises no alarm and is in no list.
  for (const deadLetter of deadLetters) {
    const { eventId } = deadLetter.identity;
    if (isOpen(world, deadLetter) && !database.tables.deadLetters.has(eventId))
      throw new Violation(`I9: the index does not know the open dead letter ${eventId}`);
  }
}

/** I1 of the other kind: an event that would have succeeded is not given up. */
function checkReasons(
  { scenario, maxAttempts }: World,
  deadLetters: readonly DeadLetterCopy[],
): void {
  for (const { identity, reason } of deadLetters) {
    const behaviour = scenario.behaviours.get(identity.eventId);
    if (reason === 'conflict') throw new Violation(`I1: ${identity.eventId} is called a conflict`);
    if (reason === 'invalid-event' && behaviour?.invalid === 'never')
      throw new Violation(`I1: ${identity.eventId} is called invalid`);
    if (reason === 'attempts-exhausted' && (behaviour?.failures ?? 0) < maxAttempts)
      throw new Violation(`I1: ${identity.eventId} was given up before its attempts were spent`);
  }
}

/**
 * Once an operator has repaired everything: every event is applied or was skipped, nothing waits.
 */
export function checkRepaired(world: World): void {
  checkWorld(world);
  for (const { aggregateId, version, eventId } of committedEvents(world))
    if (version > markOf(world, aggregateId))
      throw new Violation(`I8: ${eventId} is not applied although everything was replayed`);
}

function markOf({ database }: World, aggregateId: string): number {
  return database.tables.marks.get(aggregateId)?.version ?? 0;
}

function isParked({ database }: World, { aggregateId, version, eventId }: Identity): boolean {
  return database.tables.parked.get(aggregateId)?.get(version)?.identity.eventId === eventId;
}

function committedEvents({ broker }: World): Identity[] {
  return recordsOf(broker, sourceTopic).map(identityOf);
}

/**
 * In the DLQ, or in a retry topic behind what is committed; the record that is being passed does
 * not count.
 */
function isOnItsWay(
  { broker, maxAttempts }: World,
  eventId: string,
  passing: SourceRecord,
): boolean {
  const isIt = (record: SourceRecord): boolean =>
    record !== passing && identityOf(record).eventId === eventId;
  if (recordsOf(broker, deadLetterTopicName(group)).some(isIt)) return true;
  for (let tier = 1; tier < maxAttempts; tier += 1) {
    const topic = retryTopicName(group, tier);
    for (let partition = 0; partition < partitions; partition += 1)
      if (broker.records(topic, partition).slice(broker.committed(topic, partition)).some(isIt))
        return true;
  }
  return false;
}

function recordsOf(broker: MemoryBroker, topic: string): SourceRecord[] {
  return Array.from({ length: partitions }, (_, partition) =>
    broker.records(topic, partition),
  ).flat();
}

function identityOf(record: SourceRecord): Identity {
  const identified = identify(record.headers);
  if (identified.kind === 'no-identity') throw new Error(identified.problem);
  return identified.identity;
}
