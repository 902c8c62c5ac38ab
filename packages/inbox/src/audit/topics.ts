import { type ConsumerDefinition, retryGroupOf } from '@board/contracts';
import { readRanges } from '@board/kafka';
import { createElapsedClock } from '@board/service';
import type { Kafka } from 'kafkajs';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type PartitionPosition,
  findRetryTopics,
  nextOffset,
  openLagProbe,
} from '../consume/lag.ts';
import { identify } from '../decide.ts';
import { sourceHeaders } from '../fail/headers.ts';
import { type Barrier, type EventPlace, placeOf } from './audit.ts';

/** Where an event of one consumer can be on its way. */
export interface AuditedTopics {
  readonly group: string;
  readonly retryGroup: string;
  readonly source: string;
  /** In the order in which a failing event goes through them. */
  readonly retries: readonly string[];
}

export async function auditedTopics(
  kafka: Kafka,
  consumer: Pick<ConsumerDefinition, 'group' | 'source' | 'retryTiers'>,
): Promise<AuditedTopics> {
  const { group, source } = consumer;
  return {
    group,
    retryGroup: retryGroupOf(consumer),
    source: source.name,
    retries: await findRetryTopics(kafka, consumer),
  };
}

/**
 * Which of these events are in the source or retry topics, not yet passed by their groups. Records
 * that a group has passed do not count: they were settled, and what is not there now will not come
 * from them.
 */
export async function findUnread(
  kafka: Kafka,
  topics: AuditedTopics,
  places: ReadonlySet<EventPlace>,
): Promise<ReadonlySet<EventPlace>> {
  const unread = await listUnread(kafka, topics);
  const found = new Set<EventPlace>();
  const ranges = unread.map((position) => ({ ...position, from: nextOffset(position) }));
  await readRanges(kafka, `${topics.group}.audit.${randomUUID()}`, ranges, (_range, record) => {
    const identity = identify(sourceHeaders(record.recordHeaders()));
    if ('problem' in identity) return 'more';
    const place = placeOf(identity.aggregateId, identity.version);
    if (places.has(place)) found.add(place);
    return 'more';
  });
  return found;
}

/**
 * Every topic's positions, in the order in which a failing event travels: one that moves on
 * meanwhile is met further on.
 */
async function listUnread(kafka: Kafka, topics: AuditedTopics): Promise<PartitionPosition[]> {
  const positions: PartitionPosition[] = [];
  for (const topic of [topics.source, ...topics.retries]) {
    const group = topic === topics.source ? topics.group : topics.retryGroup;
    const probe = await openLagProbe(kafka, group, [topic]);
    try {
      positions.push(...(await probe.read()));
    } finally {
      await probe.close();
    }
  }
  return positions.filter((position) => nextOffset(position) < position.end);
}

const pollMs = 200;

/** Waits until source and retry group have committed past what their topics hold now. */
export async function waitForGroups(
  kafka: Kafka,
  topics: AuditedTopics,
  timeoutMs: number,
): Promise<Barrier> {
  const clock = createElapsedClock();
  try {
    const isOver = (): boolean => clock.now() >= timeoutMs;
    const source = await waitForGroup(kafka, topics.group, [topics.source], isOver);
    if (source !== 'passed') return source;
    // The retry topics' ends only now: what the source group has failed by now is in them.
    return await waitForGroup(kafka, topics.retryGroup, topics.retries, isOver);
  } finally {
    clock.stop();
  }
}

async function waitForGroup(
  kafka: Kafka,
  group: string,
  topics: readonly string[],
  isOver: () => boolean,
): Promise<Barrier> {
  const probe = await openLagProbe(kafka, group, topics);
  try {
    const ends = new Map((await probe.read()).map((position) => [nameOf(position), position.end]));
    for (;;) {
      const behind = (await probe.read()).filter(
        (one) => nextOffset(one) < (ends.get(nameOf(one)) ?? 0n),
      );
      const [first] = behind;
      if (first === undefined) return 'passed';
      if (isOver()) {
        const records = (ends.get(nameOf(first)) ?? 0n) - nextOffset(first);
        const isNew = behind.every(({ committed }) => committed === undefined);
        const why = isNew ? ' and has never committed: does its service run?' : '';
        return {
          cannotTell: `the group ${group} has ${records} records of ${nameOf(first)} still to settle${why}`,
        };
      }
      await delay(pollMs);
    }
  } finally {
    await probe.close();
  }
}

function nameOf({ topic, partition }: PartitionPosition): string {
  return `${topic}/${partition}`;
}

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
      const identity = identify(sourceHeaders(record.recordHeaders()));
      if (!('problem' in identity)) ids.delete(identity.eventId);
      return ids.size === 0 ? 'enough' : 'more';
    });
  }
  // AFTER the topics were looked at: an event that was read in between is in neither place at its
  // first look.
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
