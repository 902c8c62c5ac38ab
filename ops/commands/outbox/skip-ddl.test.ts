import { expect, it } from 'vitest';
import { assertPassable, findRefusedDdl } from './skip-ddl.ts';

const worker = { worker_id: 'w' };
const trace = (statement: string): string =>
  `io.debezium.text.ParsingException: DDL statement couldn't be parsed. Please open a GitHub ` +
  `issue with the statement '${statement}'\nno\n\tat io.debezium.antlr.X.y(X.java:1)`;

/** A connector with these states in turn: a trace of a failed task, undefined for a running one. */
function answering(...traces: (string | undefined)[]) {
  const left = [...traces];
  const next = (): string | undefined => (left.length > 1 ? left.shift() : left[0]);
  return {
    getStatus: (name: string) => {
      const failed = next();
      const task =
        failed === undefined
          ? { state: 'RUNNING' as const }
          : { state: 'FAILED' as const, trace: failed };
      return Promise.resolve({
        name,
        connector: { state: 'RUNNING' as const, ...worker },
        tasks: [{ id: 0, ...worker, ...task }],
      });
    },
  };
}

it('a task that was just restarted is observed until it refuses its statement again', async () => {
  const statement = 'TRUNCATE TABLE url';
  expect(await findRefusedDdl(answering(undefined, trace(statement)), 'c', 5_000)).toBe(statement);
});

it.each([undefined, 'RecordTooLargeException: too large\n\tat x'])(
  'no statement is found when the connector refuses none: %s',
  async (other) => {
    expect(await findRefusedDdl(answering(other), 'c', 0)).toBeUndefined();
  },
);

it('a statement that names an outbox is refused without --other-database', () => {
  const statement = 'CREATE TABLE scratch.outbox (url INT)';
  expect(() => assertPassable(statement, false)).toThrow(statement);
  assertPassable(statement, true);
  assertPassable('TRUNCATE TABLE url', false);
});
