import {
  type Corruption,
  appliedEvents,
  bareRecord,
  foreignDeadLetter,
  isOf,
  nowhere,
  one,
  origins,
} from './corrupt.ts';

/** What breaks the rules of check-dead-letters.ts, each a single one. */
export const deadLettersCorruptions: readonly Corruption[] = [
  {
    rule: 'a foreign record that was acknowledged is stored',
    name: 'an acknowledged record that the topic does not hold',
    apply: ({ history }, pick) =>
      one(
        pick,
        history.foreign.filter(({ topic }) => !topic.includes('.retry.')),
        (foreign) => {
          foreign.acknowledged = foreign.count + 1;
        },
      ),
  },
  {
    rule: 'as many dead letters come from a retry topic as foreign records were acknowledged there',
    name: 'a retry record that was passed over and trimmed',
    apply: ({ history, evidence }, pick) =>
      one(
        pick,
        history.foreign.filter(
          ({ topic, acknowledged }) => topic.includes('.retry.') && acknowledged > 0,
        ),
        ({ topic }) => {
          evidence.retries = evidence.retries.filter(({ foreignId }) => foreignId === null);
          evidence.deadLetters = evidence.deadLetters.filter((row) => row.topic !== topic);
          evidence.dlq = evidence.dlq.filter(
            ({ headers }) => headers['kafka_dlt-original-topic'] !== topic,
          );
        },
      ),
  },
  {
    rule: 'a foreign record is a dead letter',
    name: 'a foreign record that was passed over',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.deadLetters.filter(({ eventId }) => eventId === null),
        (row) => {
          evidence.deadLetters = evidence.deadLetters.filter((other) => other !== row);
          evidence.dlq = evidence.dlq.filter(({ headers }) =>
            Object.entries(origins(row)).some(
              ([name, text]) => name !== 'inbox-reason' && headers[name] !== text,
            ),
          );
        },
      ),
  },
  {
    rule: 'a dead letter is foreign, or of an event that was refused beyond its attempts',
    name: 'a good event that became a dead letter and was replayed',
    apply: (run, pick) =>
      one(
        pick,
        appliedEvents(run).filter(({ id }) => run.evidence.source.some(isOf(id))),
        ({ id, boardId, version }) => {
          const record = run.evidence.source.find(isOf(id));
          if (!record) return;
          const { topic, partition, offset } = record;
          const what = {
            boardId,
            version,
            eventId: id,
            reason: 'invalid-event',
            error: 'unknown schema',
            closedBy: 'applied',
          };
          run.evidence.deadLetters.push({ ...what, topic, partition, offset, lastOffset: offset });
          run.evidence.dlq.push({ ...record, headers: { ...record.headers, ...origins(record) } });
        },
      ),
  },
  {
    rule: 'a dead letter is foreign, or of an event that was refused beyond its attempts',
    name: 'a refused event that is a dead letter for another reason',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.deadLetters.filter(({ eventId }) => eventId !== null),
        (row) => {
          row.reason = 'unprocessable';
        },
      ),
  },
  {
    rule: 'a dead letter is foreign, or of an event that was refused beyond its attempts',
    name: 'a dead letter of nothing that was injected',
    apply({ evidence }) {
      evidence.deadLetters.push({ ...foreignDeadLetter });
      evidence.dlq.push({ ...bareRecord, topic: 'catalog-service.dlq', headers: origins(nowhere) });
      return true;
    },
  },
  {
    rule: 'a dead letter is foreign, or of an event that was refused beyond its attempts',
    name: 'an event that was given up on too soon',
    apply: ({ history, evidence }, pick) =>
      one(
        pick,
        evidence.deadLetters.filter(({ eventId }) => eventId !== null),
        (row) => {
          for (const refusal of history.refusals)
            if (refusal.boardId === row.boardId && refusal.version === row.version)
              refusal.times = history.run.attempts - 1;
        },
      ),
  },
  {
    rule: 'the DLQ and its index agree',
    name: 'a dead letter that the DLQ does not hold',
    apply: ({ evidence }, pick) =>
      one(
        pick,
        evidence.dlq.filter(({ headers }) => 'inbox-reason' in headers),
        (record) => {
          evidence.dlq = evidence.dlq.filter((other) => other !== record);
        },
      ),
  },
  {
    rule: 'the DLQ and its index agree',
    name: 'a dead letter that no alarm knows',
    apply({ evidence }) {
      evidence.dlq.push({ ...bareRecord, topic: 'catalog-service.dlq', headers: origins(nowhere) });
      return true;
    },
  },
];
