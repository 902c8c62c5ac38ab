import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import {
  boardOutbox,
  endDdlSkip,
  skipRefusedDdl,
  type ConnectorDefinition,
  type FenceResult,
} from './index.ts';

const filterKey = 'internal.schema.history.internal.ddl.filter';
const skipKey = 'schema.history.internal.skip.unparseable.ddl';
const worker = { worker_id: 'w' };
/** With a filter that JavaScript knows as well. */
const own: ConnectorDefinition = { ...boardOutbox, [filterKey]: '(?!.*outbox).*' };

interface Setup {
  readonly config?: ConnectorDefinition;
  /** What the binlog holds that the parser refuses, in order. */
  readonly refused?: readonly string[];
  /** It stores no position behind the statements, so it stands there again without the skip. */
  readonly storesNoPosition?: boolean;
  readonly onShipped?: (change: (config: Readonly<Record<string, string>>) => void) => void;
  /** The number of each `putConfig` that fails. */
  readonly failingPuts?: readonly number[];
}

/**
 * A connector that passes over what its configuration names, and stands at the first statement that
 * it does not.
 */
function connecting(setup: Setup) {
  const { refused = [], storesNoPosition = false, failingPuts = [] } = setup;
  let config = setup.config ?? own;
  let puts = 0;
  let isPast = false;
  const approved: string[] = [];
  const passesOver = (statement: string): boolean =>
    config[skipKey] === 'true' ||
    // Debezium does not ask the filter about it.
    (!statement.startsWith('TRUNCATE') &&
      (config[filterKey] ?? '')
        .split(',')
        .some((filter) => new RegExp(`^(?:${toJs(filter)})$`, 'isu').test(statement)));
  const standsAt = (): string | undefined =>
    isPast ? undefined : refused.find((statement) => !passesOver(statement));
  const connect = {
    getConfig: async () => config,
    async putConfig(next: Readonly<Record<string, string>>) {
      puts += 1;
      if (failingPuts.includes(puts)) throw new Error('Connect is starting');
      config = next as ConnectorDefinition;
    },
    async getStatus(name: string) {
      const statement = standsAt();
      const trace = `ParsingException: DDL statement couldn't be parsed. Please open an issue with the statement '${statement}'\nno\n\tat io.debezium.antlr.X.y(X.java:1)`;
      const task =
        statement === undefined
          ? { state: 'RUNNING' as const }
          : { state: 'FAILED' as const, trace };
      return {
        name,
        connector: { state: 'RUNNING' as const, ...worker },
        tasks: [{ id: 0, ...worker, ...task }],
      };
    },
  };
  async function awaitShipped(signal: AbortSignal): Promise<FenceResult> {
    while (standsAt() !== undefined) {
      if (signal.aborted) return { kind: 'cannot-tell', reason: 'the wait was ended' };
      await turn();
    }
    setup.onShipped?.((change) => (config = { ...config, ...change }));
    isPast = !storesNoPosition;
    return { kind: 'passed' };
  }
  return {
    connect,
    approved,
    config: () => config,
    skip: (approve = async (statement: string): Promise<void> => void approved.push(statement)) => {
      const statement = standsAt() ?? '';
      return skipRefusedDdl({
        connect,
        connector: 'board-outbox',
        statement,
        approve,
        awaitShipped,
        patienceMs: 2_000,
      }).finally(() => setup.onShipped === undefined && expect(config).toEqual(own));
    },
  };
}

/** Java's escape for a character in JavaScript's words. */
const toJs = (filter: string): string => filter.replaceAll(/\\x\{([0-9a-f]+)\}/g, '\\u{$1}');

it('statements in a row are passed over together, and each further one is asked about', async () => {
  const { skip, approved } = connecting({
    refused: [
      'CREATE TABLE s.outbox (url INT)',
      'ALTER TABLE s.outbox ADD uri INT',
      'TRUNCATE TABLE url',
    ],
  });
  expect(await skip()).toEqual({ kind: 'passed' });
  expect(approved).toEqual(['ALTER TABLE s.outbox ADD uri INT', 'TRUNCATE TABLE url']);
});

it('a further statement that is not approved ends the skip and leaves no setting behind', async () => {
  const { skip } = connecting({
    refused: ['CREATE TABLE s.outbox (url INT)', 'ALTER TABLE "outbox" ADD url INT'],
  });
  const refusing = () => Promise.reject(new Error('may have changed the outbox'));
  await expect(skip(refusing)).rejects.toThrow('may have changed the outbox');
});

it('a skip takes back only its own settings, from the configuration at its end', async () => {
  const { skip, config } = connecting({
    refused: ['CREATE TABLE s.outbox (url INT)'],
    onShipped: (change) => change({ 'poll.interval.ms': '20' }),
  });
  await skip();
  expect(config()).toEqual({ ...own, 'poll.interval.ms': '20' });
});

it('a skip takes its settings back also when Connect fails at first', async () => {
  const { skip } = connecting({ refused: ['CREATE TABLE s.outbox (url INT)'], failingPuts: [2] });
  expect(await skip()).toEqual({ kind: 'passed' });
});

it('a skip is not done before the connector has come to the present without its settings', async () => {
  const { skip } = connecting({
    refused: ['CREATE TABLE s.outbox (url INT)'],
    storesNoPosition: true,
  });
  expect(await skip()).toEqual({ kind: 'cannot-tell', reason: 'the wait was ended' });
});

it('endDdlSkip takes back once what a killed skip has left behind', async () => {
  const filter = `${own[filterKey]},CREATE TABLE url`;
  const { connect, config } = connecting({
    config: { ...own, [filterKey]: filter, [skipKey]: 'true' },
  });
  expect(await endDdlSkip(connect, 'board-outbox')).toBe(true);
  expect(config()).toEqual(own);
  expect(await endDdlSkip(connect, 'board-outbox')).toBe(false);
});
