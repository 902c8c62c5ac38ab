import type { ConsumerDefinition } from '@board/contracts';
import { readRanges } from '@board/kafka';
import type { Kafka } from 'kafkajs';
import { randomUUID } from 'node:crypto';
import { nextOffset } from '../consume/lag.ts';
import { identify } from '../decide.ts';
import { sourceHeaders } from '../fail/headers.ts';
import { auditedTopics, listUnread } from './topics.ts';

/** An event as its outbox row names it. */
export interface CommittedEvent {
  readonly id: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly version: number;
}

/** A consumer, for what its tables and topics show. */
type AskedConsumer = Pick<
  ConsumerDefinition,
  'group' | 'source' | 'aggregateType' | 'retryTiers' | 'database'
>;

/** Where to search for events. */
export interface ReceivedSearch {
  readonly kafka: Kafka;
  /** Of each kind of aggregate the first is asked: what it has was in the topic. */
  readonly consumers: readonly AskedConsumer[];
  /** Reads the tables of the consumers, on one server. */
  readonly query: <Row>(sql: string, values: readonly unknown[]) => Promise<readonly Row[]>;
  /** The reading of topics has groups of its own, named with this prefix. */
  readonly readerPrefix: string;
  /** With more unread records than this, what is in them is not looked for. */
  readonly maxUnread?: number;
}

/** The events that the search has not found. */
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
 * Which of these events have never reached their topic, as far as a consumer shows: it has an event
 * when its mark has passed it, it is parked, or it is or was a dead letter; and what it has not
 * read yet is looked for in its topics. Events that no consumer reads are undecided. Call it once
 * the relay has passed the events.
 */
export async function findUnreceived<Event extends CommittedEvent>(
  search: ReceivedSearch,
  events: readonly Event[],
): Promise<Unreceived<Event>> {
  const missing: Event[] = [];
  const undecided: Event[] = [];
  for (const [type, ofType] of Map.groupBy(events, ({ aggregateType }) => aggregateType)) {
    const consumer = search.consumers.find(({ aggregateType }) => aggregateType === type);
    const found =
      consumer === undefined
        ? { missing: [], undecided: ofType }
        : await askConsumer(search, consumer, ofType);
    missing.push(...found.missing);
    undecided.push(...found.undecided);
  }
  return { missing, undecided };
}

async function askConsumer<Event extends CommittedEvent>(
  { kafka, query, readerPrefix, maxUnread = defaultMaxUnread }: ReceivedSearch,
  consumer: AskedConsumer,
  events: readonly Event[],
): Promise<Unreceived<Event>> {
  const tables = { query, database: consumer.database, group: consumer.group };
  const unseen = await withoutReceived(tables, events);
  if (unseen.length === 0) return { missing: [], undecided: [] };
  const topics = await auditedTopics(kafka, consumer);
  const unread = (await listUnread(kafka, topics)).map((position) => ({
    ...position,
    from: nextOffset(position),
  }));
  const records = unread.reduce((sum, { from, end }) => sum + (end - from), 0n);
  const ids = new Set(unseen.map(({ id }) => id));
  if (records <= BigInt(maxUnread)) {
    await readRanges(kafka, `${readerPrefix}${randomUUID()}`, unread, (_range, record) => {
      const identified = identify(sourceHeaders(record.recordHeaders()));
      if (identified.kind === 'identified') ids.delete(identified.identity.eventId);
      return ids.size === 0 ? 'enough' : 'more';
    });
  }
  // After the topics were read: an event that was processed in between was not in the tables the
  // first time, and is not in the unread records any more.
  const left = await withoutReceived(
    tables,
    unseen.filter(({ id }) => ids.has(id)),
  );
  return records <= BigInt(maxUnread)
    ? { missing: left, undecided: [] }
    : { missing: [], undecided: left };
}

/** The tables of one consumer. */
interface ConsumerTables extends Pick<ReceivedSearch, 'query'> {
  readonly database: string;
  readonly group: string;
}

async function withoutReceived<Event extends CommittedEvent>(
  tables: ConsumerTables,
  events: readonly Event[],
): Promise<Event[]> {
  const unseen: Event[] = [];
  for (let from = 0; from < events.length; from += keysPerStatement) {
    let page: readonly Event[] = events.slice(from, from + keysPerStatement);
    for (const without of [withoutMarked, withoutParked, withoutDeadLetters]) {
      if (page.length > 0) page = await without(tables, page);
    }
    unseen.push(...page);
  }
  return unseen;
}

/**
 * At the mark itself its event is known: another one with that version was not received. A version
 * skipped as lost has none.
 */
async function withoutMarked<Event extends CommittedEvent>(
  { query, database, group }: ConsumerTables,
  events: readonly Event[],
): Promise<Event[]> {
  // While the statistics of a table that has just grown are old, MySQL would read all of it.
  const rows = await query<{ type: string; id: string; version: number; eventId: string }>(
    `SELECT aggregatetype AS type, aggregateid AS id, version, event_id AS eventId FROM ${database}.mark FORCE INDEX (PRIMARY)
     WHERE consumer = ? AND aggregatetype IN (?) AND aggregateid IN (?)`,
    [
      group,
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
  { query, database, group }: ConsumerTables,
  events: readonly Event[],
): Promise<Event[]> {
  const rows = await query<{ eventId: string }>(
    `SELECT event_id AS eventId FROM ${database}.parked FORCE INDEX (PRIMARY)
     WHERE (consumer, aggregatetype, aggregateid, version) IN (?)`,
    [
      events.map(({ aggregateType, aggregateId, version }) => [
        group,
        aggregateType,
        aggregateId,
        version,
      ]),
    ],
  );
  return withoutIds(events, rows);
}

/** Open or closed: one that was closed was in the topic too. */
async function withoutDeadLetters<Event extends CommittedEvent>(
  { query, database, group }: ConsumerTables,
  events: readonly Event[],
): Promise<Event[]> {
  const rows = await query<{ eventId: string }>(
    `SELECT letter AS eventId FROM ${database}.dead_letter FORCE INDEX (PRIMARY) WHERE consumer = ? AND letter IN (?)`,
    [group, events.map(({ id }) => id)],
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
