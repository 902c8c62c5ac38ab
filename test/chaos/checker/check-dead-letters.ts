import type { ForeignRecord } from '../history.ts';
import type { DeadLetterRow, TopicRecord } from './evidence.ts';
import { about } from './check-commands.ts';
import { place } from './check-topic.ts';
import type { RunIndex } from './index-run.ts';
import type { Rule } from './rule.ts';

/** A dead letter is foreign, and what is foreign is a dead letter or a copy. */
export const deadLetterRules: readonly Rule[] = [
  {
    invariant: 'I6',
    name: 'a foreign record that was acknowledged is stored',
    evenAmongOthers: false,
    *find({ history, evidence }) {
      const stored = new Map<string, number>();
      for (const { foreignId, topic } of [...evidence.source, ...evidence.dlq])
        stored.set(`${foreignId} ${topic}`, (stored.get(`${foreignId} ${topic}`) ?? 0) + 1);
      for (const { id, kind, topic, acknowledged } of history.foreign) {
        // Retry records are deleted once they were processed: the next rule.
        if (isRetryTopic(topic)) continue;
        const found = stored.get(`${id} ${topic}`) ?? 0;
        if (found < acknowledged)
          yield about(
            null,
            undefined,
            `${acknowledged} records "${kind}" (foreign ${id}) were acknowledged, ${topic} holds ${found}`,
          );
      }
    },
  },
  {
    invariant: 'I1',
    name: 'as many dead letters come from a retry topic as foreign records were acknowledged there',
    evenAmongOthers: false,
    *find({ history, evidence }) {
      const found = new Map<string, number>();
      const count = (topic: string, more: number) =>
        found.set(topic, (found.get(topic) ?? 0) + more);
      for (const { topic, offset, lastOffset } of evidence.deadLetters)
        count(topic, lastOffset - offset + 1);
      const isDead = coverage(evidence.deadLetters);
      // What is still there without a dead letter is for the next rule.
      for (const record of evidence.retries)
        if (record.foreignId !== null && !isDead(record)) count(record.topic, 1);
      for (const topic of new Set(history.foreign.map((one) => one.topic).filter(isRetryTopic))) {
        const sent = history.foreign.filter((one) => one.topic === topic);
        const acknowledged = sent.reduce((sum, one) => sum + one.acknowledged, 0);
        const dead = found.get(topic) ?? 0;
        if (dead < acknowledged)
          yield about(
            null,
            undefined,
            `${acknowledged} foreign records were acknowledged in ${topic}, and ${dead} dead letters come from there`,
          );
      }
    },
  },
  {
    invariant: 'I1',
    name: 'a foreign record is a dead letter',
    evenAmongOthers: false,
    *find(run) {
      const { history, evidence, eventById } = run;
      const isDead = coverage(evidence.deadLetters);
      const missing = new Map<number, TopicRecord[]>();
      for (const record of [...evidence.source, ...evidence.retries]) {
        const { foreignId, headers } = record;
        // A copy of an event is taken out by the mark.
        if (foreignId === null || isDead(record) || eventById.has(headers['id'] ?? '')) continue;
        missing.set(foreignId, [...(missing.get(foreignId)?.slice(0, 2) ?? []), record]);
      }
      for (const [id, records] of missing)
        yield about(
          null,
          undefined,
          `${records.map(place).join(', ')} ("${kindOf(history.foreign, id)}", foreign ${id}) ` +
            'was injected and has no dead letter',
        );
    },
  },
  {
    invariant: 'I1',
    name: 'a dead letter is foreign, or of an event that was refused beyond its attempts',
    evenAmongOthers: true,
    *find(run) {
      const { history, evidence, eventById, isGivenUp, boards } = run;
      const foreign = foreignPlaces(run);
      for (const row of evidence.deadLetters) {
        const { boardId, version, eventId, reason, error } = row;
        const event = eventById.get(eventId ?? '');
        const isKnownEvent = event !== undefined || boards.has(boardId ?? '');
        if (isKnownEvent) {
          if (reason !== 'attempts-exhausted' || !isGivenUp(boardId, version))
            yield about(boardId, event, `version ${version} is a dead letter, ${reason}: ${error}`);
        } else if (history.run.alone && !foreign(row)) {
          yield about(
            null,
            undefined,
            `${place(row)} is a dead letter, ${reason}, and nothing foreign was injected there: ${error}`,
          );
        }
      }
    },
  },
  {
    invariant: 'I9',
    name: 'the DLQ and its index agree',
    evenAmongOthers: false,
    *find({ evidence }) {
      const dead = evidence.dlq.flatMap((record) => originOf(record) ?? []);
      const inDlq = new Set(dead.map(placeKey));
      const isIndexed = coverage(evidence.deadLetters);
      const byEvent = new Set(evidence.dlq.flatMap(({ headers }) => headers['id'] ?? []));
      const indexedEvents = new Set(evidence.deadLetters.flatMap(({ eventId }) => eventId ?? []));
      for (const row of evidence.deadLetters)
        if (!(row.eventId === null ? inDlq.has(placeKey(row)) : byEvent.has(row.eventId)))
          yield about(
            row.boardId,
            undefined,
            `the dead letter of ${place(row)} is in the index, and the DLQ does not hold it`,
          );
      for (const record of evidence.dlq) {
        const origin = originOf(record);
        if (origin && !isIndexed(origin) && !indexedEvents.has(record.headers['id'] ?? ''))
          yield about(
            null,
            undefined,
            `${place(record)} is the dead letter of ${place(origin)}, and the index does not have it`,
          );
      }
    },
  },
];

type Place = Pick<TopicRecord, 'topic' | 'partition' | 'offset'>;

const placeKey = ({ topic, partition, offset }: Place): string => `${topic}/${partition}/${offset}`;

const isRetryTopic = (topic: string): boolean => /[.]retry[.]\d+$/.test(topic);

const kindOf = (foreign: readonly ForeignRecord[], id: number): string =>
  foreign.find((one) => one.id === id)?.kind ?? 'unknown';

/**
 * Where the record of a dead letter stood first; undefined for what was not written by an inbox.
 */
function originOf({ headers }: TopicRecord): Place | undefined {
  const topic = headers['kafka_dlt-original-topic'];
  const partition = headers['kafka_dlt-original-partition'];
  const offset = headers['kafka_dlt-original-offset'];
  if (!topic || !partition || !offset) return undefined;
  return { topic, partition: Number(partition), offset: Number(offset) };
}

/** Whether a place is that of a dead letter, or within the batch that one stands for. */
function coverage(rows: readonly DeadLetterRow[]): (place: Place) => boolean {
  const places = new Set(rows.map(placeKey));
  const batches = rows.filter(({ offset, lastOffset }) => lastOffset > offset);
  return (place) =>
    places.has(placeKey(place)) ||
    batches.some(
      ({ topic, partition, offset, lastOffset }) =>
        topic === place.topic &&
        partition === place.partition &&
        offset <= place.offset &&
        place.offset <= lastOffset,
    );
}

/**
 * Whether a dead letter's record was injected: its origin still holds it, or the DLQ shows the
 * marker.
 */
function foreignPlaces({ evidence, history }: RunIndex): (row: DeadLetterRow) => boolean {
  const known = new Set(history.foreign.map(({ id }) => id));
  const isKnown = ({ foreignId }: TopicRecord): boolean =>
    foreignId !== null && known.has(foreignId);
  const records = [...evidence.source, ...evidence.retries].filter(isKnown);
  const shown = evidence.dlq.filter(isKnown).flatMap((record) => originOf(record) ?? []);
  const places = new Set([...records, ...shown].map(placeKey));
  return (row) => places.has(placeKey(row));
}
