import { createHealth, createLogger } from '@board/service';
import { expect, it } from 'vitest';
import { healConnector } from './heal-connector.ts';

/**
 * The job beside a connector whose task has failed with this trace, and goes on failing; a second
 * passes between two runs.
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
    settings: { firstWaitMs: 1, maxWaitMs: 1, healthyAfterMs: 60_000, graceMs: 30_000 },
  });
  const run = () => job.run(new AbortController().signal);
  return { did, run, alarm: () => alarms.active().get('connector')?.reason };
}

const lost =
  'io.debezium.DebeziumException: The db history topic is missing. You may attempt to recover it';
const rebuild = ['stop', 'delete offsets', 'resume'];

it('a position that could not be rebuilt is rebuilt at the next failure, and only then', async () => {
  const { did, run } = healing(lost, 1);
  await run();
  await expect(run()).rejects.toThrow('Connect is starting');
  for (let time = 0; time < 3; time += 1) await run();
  expect(did).toEqual(['restart', ...rebuild, 'restart', 'restart']);
});

it('a row with another number of columns makes the position be rebuilt', async () => {
  const { did, run } = healing(
    'io.debezium.DebeziumException: Error processing row in a.outbox, internal schema size 10, but row size 11 , restart connector with schema recovery mode.',
  );
  await run();
  await run();
  expect(did).toEqual(['restart', ...rebuild]);
});

it('the words of a refused statement make no position be rebuilt', async () => {
  const statement = 'TRUNCATE TABLE url /* The db history topic is missing */';
  const { did, run, alarm } = healing(
    `io.debezium.text.ParsingException: DDL statement couldn't be parsed. Please open an issue with the statement '${statement}'\nno viable alternative\n\tat io.debezium.antlr.X.y(X.java:1)`,
  );
  for (let time = 0; time < 4; time += 1) await run();
  expect(did).toEqual(['restart', 'restart', 'restart', 'restart']);
  expect(alarm()).toContain('"A refused statement"');
});
