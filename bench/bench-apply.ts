import { headerNames } from '@board/contracts';
import { openInboxLab, thingLogHandler, type InboxLab } from '@board/inbox/testing';
import { waitUntil, type StackAddresses } from '@board/test';
import type { DataSource } from 'typeorm';
import type { Comparison } from './print-comparison.ts';

interface Mode {
  readonly name: string;
  readonly records: number;
  /** Starts consuming; returns how to stop. */
  readonly start: (lab: InboxLab) => Promise<() => Promise<void>>;
}

const versions = 10;
const payload = 'x'.repeat(200);

/**
 * Compares applying in batches with one transaction per message. The contenders take turns, each
 * round with its own schema, topic and group; rates count from the start to the last effect.
 */
export async function benchApply(
  stack: StackAddresses,
  { rounds, records }: { rounds: number; records: number },
): Promise<Comparison> {
  const usual: Mode = {
    name: 'the usual way: a transaction and a row of seen ids per message',
    records: Math.round(records / 10),
    start: async (lab) => startUsualConsumer(lab, await lab.openDataSource()),
  };
  const batched = (name: string, sabotage?: ReturnType<typeof failOnce>): Mode => ({
    name,
    records,
    start: async (lab) =>
      (
        await lab.start(thingLogHandler({ batch: true, sabotage }), {
          settings: { retryBaseMs: 1_000 },
        })
      ).stop,
  });
  const modes = [
    batched('batched, by marks'),
    batched('batched, by marks, 1 % of events fail once', failOnce(0.01)),
  ];

  const rates = new Map([usual, ...modes].map((mode) => [mode, [] as number[]]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const [mode, figures] of rates) {
      const rate = await measure(stack, mode);
      figures.push(rate);
      console.error(`round ${round}/${rounds}: ${mode.name}: ${Math.round(rate)} events/s`);
    }
  }
  const contender = (mode: Mode) => ({ name: mode.name, rates: rates.get(mode) ?? [] });
  return {
    title:
      'Applying, events a second; retries, parking and dead letters enabled in the batched ones',
    baseline: contender(usual),
    contenders: modes.map(contender),
  };
}

async function measure(stack: StackAddresses, { records, start }: Mode): Promise<number> {
  const lab = await openInboxLab(stack);
  try {
    const aggregates = Math.round(records / versions);
    const all = Array.from({ length: versions }, (_, version) =>
      Array.from({ length: aggregates }, (_, n) =>
        lab.thing(`thing-${n}`, version + 1, { text: payload }),
      ),
    );
    await lab.produce(all.flat());
    const startedAt = performance.now();
    const stop = await start(lab);
    await waitUntil(
      'all applied',
      async () => {
        const [log] = await lab.rows<{ n: string }>('SELECT COUNT(*) AS n FROM thing_log');
        return Number(log?.n) === aggregates * versions;
      },
      { timeoutMs: 300_000, everyMs: 100 },
    );
    const seconds = (performance.now() - startedAt) / 1_000;
    await stop();
    return (aggregates * versions) / seconds;
  } finally {
    await lab.close();
  }
}

/** Makes the same share of the events fail at their first attempt, in every round. */
function failOnce(share: number): NonNullable<Parameters<typeof thingLogHandler>[0]>['sabotage'] {
  const every = Math.round(1 / share);
  return ({ aggregateId, version, attempt }) => {
    const number = Number(aggregateId.split('-')[1]) * versions + version;
    if (attempt === 1 && number % every === 0) throw new Error('fails once');
  };
}

/**
 * Consumes the usual way: one transaction per message, with a table of the ids seen. It has no
 * order under retries, no retry topics and no dead letters: only its speed is measured.
 */
async function startUsualConsumer(
  lab: InboxLab,
  dataSource: DataSource,
): Promise<() => Promise<void>> {
  await lab.schema.root.query(
    'CREATE TABLE seen (event_id VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY)',
  );
  const consumer = lab.kafka.consumer({ groupId: `${lab.group}.usual`, maxWaitTimeInMs: 250 });
  await consumer.connect();
  await consumer.subscribe({ topics: [lab.topic], fromBeginning: true });
  await consumer.run({
    partitionsConsumedConcurrently: 3,
    eachMessage: async ({ message: { headers = {} } }) => {
      const text = (name: string): string => String(headers[name]);
      const eventId = text(headerNames.eventId);
      await dataSource.transaction('READ COMMITTED', async (tx) => {
        const seen: { affectedRows: number } = await tx.query(
          'INSERT IGNORE INTO seen VALUES (?)',
          [eventId],
        );
        if (seen.affectedRows === 0) return;
        await tx.query('INSERT INTO thing_log (aggregateid, version, event_id) VALUES (?, ?, ?)', [
          text(headerNames.aggregateId),
          text(headerNames.version),
          eventId,
        ]);
      });
    },
  });
  return () => consumer.disconnect();
}
