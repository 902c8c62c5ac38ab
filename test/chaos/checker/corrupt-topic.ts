import { type Corruption, type Event, bareRecord, eventAt, isOf, nowhere, one } from './corrupt.ts';

/** What breaks the rules of check-topic.ts, each a single one. */
export const topicCorruptions: readonly Corruption[] = [
  {
    rule: 'every outbox row is in the topic',
    name: 'an event that was not shipped',
    apply: ({ evidence }, pick) =>
      one(pick, evidence.outbox, ({ id }) => {
        evidence.source = evidence.source.filter((record) => !isOf(id)(record));
      }),
  },
  {
    rule: 'every record comes from the outbox',
    name: 'a record of an event that was rolled back',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.source.filter(({ foreignId }) => foreignId === null),
        (record) => {
          evidence.source.push({
            ...record,
            headers: { ...record.headers, id: 'event-rolled-back' },
            offset: nowhere.offset,
          });
        },
      ),
  },
  {
    rule: 'every record comes from the outbox',
    name: 'a record of a board that does not exist',
    apply({ evidence }) {
      const headers = { id: 'event-none', aggregateId: 'board-none', version: '1' };
      evidence.source.push({ ...bareRecord, headers });
      return true;
    },
  },
  {
    rule: 'every record comes from the outbox',
    name: 'a retry of an event that does not exist',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.retries.filter(({ foreignId }) => foreignId === null),
        (record) => {
          record.headers['id'] = 'event-none';
        },
      ),
  },
  {
    rule: 'a record without identity was injected',
    name: 'a record that nothing explains',
    apply({ evidence }) {
      evidence.source.push({ ...bareRecord });
      return true;
    },
  },
  ...(['eventType', 'version', 'occurredAt', 'traceparent'] as const).map((name): Corruption => ({
    rule: 'a record is its outbox row',
    name: `a record with another header ${name}`,
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.source.filter(({ foreignId }) => foreignId === null),
        (record) => {
          record.headers[name] = 'other';
        },
      ),
  })),
  {
    rule: 'a record is its outbox row',
    name: 'a record in the topic of another aggregate type',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.source.filter(({ foreignId }) => foreignId === null),
        (record) => {
          record.topic = 'other';
        },
      ),
  },
  {
    rule: 'a record is its outbox row',
    name: 'a copy that names another board',
    apply({ evidence }, pick) {
      const isCopied = ({ headers }: (typeof evidence.source)[number]): boolean =>
        evidence.source.filter(isOf(headers['id'] ?? '')).length > 1;
      return one(pick, evidence.source.filter(isCopied), (record) => {
        record.headers['aggregateId'] = 'board-elsewhere';
      });
    },
  },
  {
    rule: 'a record is its outbox row',
    name: 'a record with another value',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.source.filter(({ foreignId }) => foreignId === null),
        (record) => {
          record.digest = 'other';
        },
      ),
  },
  {
    rule: 'a record is its outbox row',
    name: 'a record without its key',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.source.filter(({ foreignId }) => foreignId === null),
        (record) => {
          record.key = null;
        },
      ),
  },
  {
    rule: 'a key stays in one partition',
    name: 'a record in another partition than its board',
    apply({ evidence }, pick) {
      const { source } = evidence;
      const shared = source.filter(
        (record) =>
          record.key !== null && source.filter(({ key }) => key === record.key).length > 1,
      );
      return one(pick, shared, (record) => {
        Object.assign(record, { partition: record.partition + 1, offset: nowhere.offset });
      });
    },
  },
  {
    rule: 'the versions of a board come in order',
    name: 'two versions that were shipped in the wrong order',
    apply({ evidence }, pick) {
      const copiesOf = (event: Event | undefined) => evidence.source.filter(isOf(event?.id ?? ''));
      const candidates = evidence.outbox.filter((event) => copiesOf(event).length === 1);
      const pairs = candidates.flatMap((event) => {
        const [next] = copiesOf(eventAt(evidence, event.boardId, event.version + 1));
        const [record] = copiesOf(event);
        return record && next ? [{ record, next }] : [];
      });
      return one(pick, pairs, ({ record }) => {
        record.offset = nowhere.offset;
      });
    },
  },
];
