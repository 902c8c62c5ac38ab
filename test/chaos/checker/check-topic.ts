import type { OutboxRow, TopicRecord } from './evidence.ts';
import { about, describe } from './check-commands.ts';
import { identityOf } from './index-run.ts';
import type { Rule } from './rule.ts';

/** The topic against the outbox; copies are allowed everywhere, since shipping is at least once. */
export const topicRules: readonly Rule[] = [
  {
    invariant: 'I6',
    name: 'every outbox row is in the topic',
    evenAmongOthers: true,
    *find({ boards }) {
      for (const { id, events, records } of boards.values()) {
        const shipped = new Set(records.map(({ headers }) => headers['id']));
        for (const event of events)
          if (!shipped.has(event.id))
            yield about(id, event, `${describe(event)} is not in the topic`);
      }
    },
  },
  {
    invariant: 'I2',
    name: 'every record comes from the outbox',
    evenAmongOthers: true,
    *find({ boards, eventById }) {
      for (const { id, records, routed } of boards.values())
        for (const record of [...records, ...routed]) {
          // Dead letters have rules of their own: a bare one of a foreign record shows no marker.
          if ('inbox-reason' in record.headers) continue;
          const identity = identityOf(record);
          if (identity && !eventById.has(identity.eventId))
            yield about(
              id,
              undefined,
              `${place(record)} is event ${identity.eventId}, which is in no outbox row`,
            );
        }
    },
  },
  {
    invariant: 'I2',
    name: 'a record without identity was injected',
    evenAmongOthers: false,
    *find({ history, evidence }) {
      const injected = new Set(history.foreign.map(({ id, topic }) => `${id} ${topic}`));
      for (const record of [...evidence.source, ...evidence.retries]) {
        if (identityOf(record) || injected.has(`${record.foreignId} ${record.topic}`)) continue;
        const what =
          record.foreignId === null
            ? 'no identity and no marker'
            : `the marker ${record.foreignId}, which was sent elsewhere`;
        yield about(null, undefined, `${place(record)} has ${what}`);
      }
    },
  },
  {
    invariant: 'I5',
    name: 'a record is its outbox row',
    evenAmongOthers: true,
    *find({ boards, eventById }) {
      for (const { id, records } of boards.values())
        for (const record of records) {
          const event = eventById.get(identityOf(record)?.eventId ?? '');
          const wrong = event ? mismatches(record, event) : [];
          if (wrong.length > 0)
            yield about(id, event, `${place(record)} is not its outbox row: ${wrong.join('; ')}`);
        }
    },
  },
  {
    invariant: 'I4',
    name: 'a key stays in one partition',
    evenAmongOthers: true,
    *find({ boards }) {
      const partitions = new Map<string, number>();
      for (const { id, records } of boards.values())
        for (const record of records) {
          const { key, partition } = record;
          if (key === null) continue;
          const first = partitions.get(key) ?? partition;
          partitions.set(key, first);
          if (partition !== first)
            yield about(
              id,
              undefined,
              `${place(record)} has the key ${key}, which is in partition ${first} as well`,
            );
        }
    },
  },
  {
    invariant: 'I4',
    name: 'the versions of a board come in order',
    evenAmongOthers: true,
    *find({ boards, eventById }) {
      for (const { id, records } of boards.values()) {
        const seen = new Set<string>();
        const highest = new Map<number, number>();
        for (const record of records.toSorted((a, b) => a.offset - b.offset)) {
          const event = eventById.get(identityOf(record)?.eventId ?? '');
          // A copy says nothing about order, since the mark takes it out.
          if (event === undefined || seen.has(event.id)) continue;
          seen.add(event.id);
          const before = highest.get(record.partition) ?? 0;
          if (event.version < before)
            yield about(
              id,
              event,
              `${place(record)} is version ${event.version}, first seen behind version ${before}`,
            );
          highest.set(record.partition, Math.max(before, event.version));
        }
      }
    },
  },
];

export function place({
  topic,
  partition,
  offset,
}: Pick<TopicRecord, 'topic' | 'partition' | 'offset'>): string {
  return `the record ${topic}/${partition}/${offset}`;
}

function mismatches({ topic, key, headers, digest }: TopicRecord, event: OutboxRow): string[] {
  const pairs: readonly (readonly [string, string | null | undefined, string | null])[] = [
    ['topic', topic, event.topic],
    ['key', key, event.partitionKey],
    ['eventType', headers['eventType'], event.type],
    ['aggregateId', headers['aggregateId'], event.boardId],
    ['version', headers['version'], String(event.version)],
    ['occurredAt', headers['occurredAt'], event.occurredAt],
    ['traceparent', headers['traceparent'], event.traceparent],
    ['value (SHA-256)', digest, event.digest],
  ];
  return pairs
    .filter(([, got, expected]) => got !== expected)
    .map(([name, got, expected]) => `${name} is ${got}, not ${expected}`);
}
