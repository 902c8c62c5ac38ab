import { createHealth, createLogger } from '@board/service';
import { expect, it } from 'vitest';
import { healConnector } from './heal-connector.ts';

/**
 * A keeper beside a connector whose task has failed so, and goes on failing; a second passes from
 * look to look.
 */
function healing(trace: string, failingStops = 0) {
  const did: string[] = [];
  let left = failingStops;
  let nowMs = 0;
  const worker = { worker_id: 'w' };
  const { alarms } = createHealth();
  const job = healConnector({
    connect: {
      getStatus: async (name) => ({
        name,
        connector: { state: 'RUNNING', ...worker },
        tasks: [{ id: 0, state: 'FAILED', trace, ...worker }],
      }),
      restartFailed: async () => void did.push('restart'),
      async stop() {
        if ((left -= 1) >= 0) throw new Error('Connect is starting');
        did.push('stop');
      },
      deleteOffsets: async () => void did.push('delete offsets'),
      resume: async () => void did.push('resume'),
    },
    connector: 'board-outbox',
    everyMs: 1_000,
    alarms,
    logger: createLogger({ name: 'keeper', level: 'silent' }),
    metrics: { connector: () => undefined, restarted: () => undefined },
    now: () => (nowMs += 1_000),
    settings: { firstWaitMs: 1, maxWaitMs: 1, calmMs: 60_000, graceMs: 30_000 },
  });
  const look = () => job.run(new AbortController().signal);
  return { did, look, alarm: () => alarms.active().get('connector')?.reason };
}

const lost =
  'io.debezium.DebeziumException: The db history topic is missing. You may attempt to recover it';
const rebuild = ['stop', 'delete offsets', 'resume'];

it('a position that could not be rebuilt is rebuilt at the next failure, and then no more', async () => {
  const { did, look } = healing(lost, 1);
  await look();
  await expect(look()).rejects.toThrow('Connect is starting');
  for (let time = 0; time < 3; time += 1) await look();
  expect(did).toEqual(['restart', ...rebuild, 'restart', 'restart']);
});

it('a row with another number of columns is a history that does not fit', async () => {
  const { did, look } = healing(
    'io.debezium.DebeziumException: Error processing row in a.outbox, internal schema size 10, but row size 11 , restart connector with schema recovery mode.',
  );
  await look();
  await look();
  expect(did).toEqual(['restart', ...rebuild]);
});

it('no position is rebuilt for the words of a statement', async () => {
  const statement = 'TRUNCATE TABLE url /* The db history topic is missing */';
  const { did, look, alarm } = healing(
    `io.debezium.text.ParsingException: DDL statement couldn't be parsed. Please open an issue with the statement '${statement}'\nno viable alternative\n\tat io.debezium.antlr.X.y(X.java:1)`,
  );
  for (let time = 0; time < 4; time += 1) await look();
  expect(did).toEqual(['restart', 'restart', 'restart', 'restart']);
  expect(alarm()).toContain('"A refused statement"');
});
