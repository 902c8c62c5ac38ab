import { randomUUID } from 'node:crypto';
import { readRanges } from '@board/kafka-kit';
import type { Kafka } from 'kafkajs';
import { nextOffset } from '../consume/lag-probe.ts';
import { identify } from '../decide.ts';
import { sourceHeaders } from '../fail/headers.ts';
import type { AuditedTopics } from './audited-topics.ts';
import { listUnread } from './find-unread.ts';

/** An event as its outbox row names it. */
export interface CommittedEvent {
  readonly id: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly version: number;
}

export interface ReceivedSearch {
  readonly kafka: Kafka;
  /** What the consumer reads; its group is also the consumer's name in its tables. */
  readonly topics: AuditedTopics;
  /** Reads the tables of the consumer, which are in this database. */
  readonly query: <Row>(sql: string, values: readonly unknown[]) => Promise<readonly Row[]>;
  readonly database: string;
  /** The reading of topics has groups of its own, named with this prefix. */
  readonly readerPrefix: string;
  /** With more unread records than this, what is in them is not looked for. */
  readonly maxUnread?: number;
}

export interface Unreceived<Event> {
  /** Not with the consumer, and not among the records that it has not read. */
  readonly missing: readonly Event[];
  /** Not with the consumer, which has too much unread to look for them in it. */
  readonly undecided: readonly Event[];
}

/** More keys in one statement and MySQL may scan the table instead. */
const keysPerStatement = 1_000;
const defaultMaxUnread = 1_000_000;

/**
 * Which of these events have never reached the consumer's topic, as far as the consumer shows: it has an event when its mark has
 * passed it, it is parked, or it is or was a dead letter; and what it has not read yet is looked for in its topics. Call it once
 * the relay has passed the events.
 */
export async function findUnreceived<Event extends CommittedEvent>(
  search: ReceivedSearch,
  events: readonly Event[],
): Promise<Unreceived<Event>> {
  const { kafka, topics, readerPrefix, maxUnread = defaultMaxUnread } = search;
  const unseen = await withoutReceived(search, events);
  if (unseen.length === 0) return { missing: [], undecided: [] };
  const unread = (await listUnread(kafka, topics)).map((position) => ({ ...position, from: nextOffset(position) }));
  const records = unread.reduce((sum, { from, end }) => sum + (end - from), 0n);
  const ids = new Set(unseen.map(({ id }) => id));
  if (records <= BigInt(maxUnread)) {
    await readRanges(kafka, `${readerPrefix}${randomUUID()}`, unread, (_range, record) => {
      const identity = identify(sourceHeaders(record.recordHeaders()));
      if (!('problem' in identity)) ids.delete(identity.eventId);
      return ids.size === 0 ? 'enough' : 'more';
    });
  }
  // AFTER the topics were looked at: an event that was read in between is in neither place at its first look.
  const left = await withoutReceived(
    search,
    unseen.filter(({ id }) => ids.has(id)),
  );
  return records <= BigInt(maxUnread) ? { missing: left, undecided: [] } : { missing: [], undecided: left };
}

async function withoutReceived<Event extends CommittedEvent>(
  search: ReceivedSearch,
  events: readonly Event[],
): Promise<Event[]> {
  const unseen: Event[] = [];
  for (let from = 0; from < events.length; from += keysPerStatement) {
    let page: readonly Event[] = events.slice(from, from + keysPerStatement);
    for (const without of [withoutMarked, withoutParked, withoutDeadLetters]) {
      if (page.length > 0) page = await without(search, page);
    }
    unseen.push(...page);
  }
  return unseen;
}

/** At the mark itself its event is known: another one with that version was not received. A version skipped as lost has none. */
async function withoutMarked<Event extends CommittedEvent>(
  { query, database, topics }: ReceivedSearch,
  events: readonly Event[],
): Promise<Event[]> {
  // While the statistics of a table that has just grown are old, MySQL would read all of it.
  const rows = await query<{ type: string; id: string; version: number; eventId: string }>(
    `SELECT aggregatetype AS type, aggregateid AS id, version, event_id AS eventId FROM ${database}.mark FORCE INDEX (PRIMARY)
     WHERE consumer = ? AND aggregatetype IN (?) AND aggregateid IN (?)`,
    [
      topics.group,
      [...new Set(events.map(({ aggregateType }) => aggregateType))],
      [...new Set(events.map(({ aggregateId }) => aggregateId))],
    ],
  );
  const marks = new Map(rows.map((row) => [`${row.type} ${row.id}`, row]));
  return events.filter(({ id, aggregateType, aggregateId, version }) => {
    const mark = marks.get(`${aggregateType} ${aggregateId}`);
    if (mark === undefined || mark.version < version) return true;
    return mark.version === version && mark.eventId !== '' && mark.eventId !== id;
  });
}

async function withoutParked<Event extends CommittedEvent>(
  { query, database, topics }: ReceivedSearch,
  events: readonly Event[],
): Promise<Event[]> {
  const rows = await query<{ eventId: string }>(
    `SELECT event_id AS eventId FROM ${database}.parked FORCE INDEX (PRIMARY)
     WHERE (consumer, aggregatetype, aggregateid, version) IN (?)`,
    [events.map(({ aggregateType, aggregateId, version }) => [topics.group, aggregateType, aggregateId, version])],
  );
  return withoutIds(events, rows);
}

/** Open or closed: one that was closed was in the topic too. */
async function withoutDeadLetters<Event extends CommittedEvent>(
  { query, database, topics }: ReceivedSearch,
  events: readonly Event[],
): Promise<Event[]> {
  const rows = await query<{ eventId: string }>(
    `SELECT letter AS eventId FROM ${database}.dead_letter FORCE INDEX (PRIMARY) WHERE consumer = ? AND letter IN (?)`,
    [topics.group, events.map(({ id }) => id)],
  );
  return withoutIds(events, rows);
}

function withoutIds<Event extends CommittedEvent>(
  events: readonly Event[],
  rows: readonly { readonly eventId: string }[],
): Event[] {
  const ids = new Set(rows.map(({ eventId }) => eventId));
  return events.filter(({ id }) => !ids.has(id));
}
