import { expect, it } from 'vitest';
import { classifyFailure, explainFailure, namesOutbox } from './src/explain-failure.ts';

/** As Connect prints it; the middle is left out. */
const traceOf = (cause: string): string =>
  [
    'org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer. This connector will be stopped.',
    '\tat io.debezium.pipeline.ErrorHandler.setProducerThrowable(ErrorHandler.java:79)',
    `Caused by: io.debezium.DebeziumException: Error processing binlog event`,
    '\t... 5 more',
    `Caused by: ${cause}`,
    '\tat io.debezium.antlr.ParsingErrorListener.syntaxError(ParsingErrorListener.java:44)',
    '\t... 9 more',
    '',
  ].join('\n');

const refusal = (statement: string): string =>
  traceOf(
    "io.debezium.text.ParsingException: DDL statement couldn't be parsed. Please open a GitHub issue at " +
      `https://github.com/debezium/dbz/issues with the statement '${statement}'\nno viable alternative at input 'x'`,
  );

it.each(['TRUNCATE TABLE url', "CREATE TABLE outbox (\n  a VARCHAR(9) DEFAULT 'it''s',\n  url INT COMMENT 'x'\n)"])(
  'the refused statement is found whole, whatever quotes and lines it has: %j',
  (statement) => {
    expect(classifyFailure(refusal(statement))).toEqual({ kind: 'refused-statement', statement });
  },
);

it('a statement that the parser remarks on more than once is found once', () => {
  const remark = (text: string) =>
    `io.debezium.text.ParsingException: DDL statement couldn't be parsed. Please open a GitHub issue at ` +
    `https://github.com/debezium/dbz/issues with the statement 'CREATE TABLE outbox (url TEXT)'\n${text} {A, B}`;
  const trace = traceOf(`Multiple parsing errors\n${remark("extraneous input 'url'")}\n${remark('mismatched input')}`);
  expect(classifyFailure(trace)).toEqual({ kind: 'refused-statement', statement: 'CREATE TABLE outbox (url TEXT)' });
});

it('what it says is one line of at most 400 characters with the statement and the recipe', () => {
  expect(explainFailure(refusal('TRUNCATE\n  TABLE url'))).toBe(
    'Debezium cannot parse the statement "TRUNCATE TABLE url": docs/runbook.md, "A refused statement"',
  );
  expect(explainFailure(refusal(`CREATE TABLE outbox (${'url INT, '.repeat(200)}`))?.length).toBeLessThan(400);
});

it.each([
  "io.debezium.DebeziumException: Failed to properly convert data value for 'order_service.outbox.version' of type INT UNSIGNED",
  'io.debezium.DebeziumException: Error processing row in outbox, internal schema size 10, but row size 11 , restart connector with schema recovery mode.',
  "io.debezium.DebeziumException: Encountered change event for table order_service.outbox whose schema isn't known to this connector",
])('a row that does not fit its table leads to its recipe: %s', (cause) => {
  expect(explainFailure(traceOf(cause))).toMatch(/outbox.*"A row that does not fit"$/);
});

it('any other cause is left to its trace', () => {
  expect(explainFailure(traceOf('org.apache.kafka.common.errors.RecordTooLargeException: too large'))).toBeUndefined();
});

it.each([
  ['TRUNCATE TABLE url', false],
  ['ALTER TABLE "outbox" ADD COLUMN a INT', true],
  ['CREATE TABLE scratch._OUTBOX_new (url INT)', true],
])('whether %s may be about the outbox: %s', (statement, isSo) => {
  expect(namesOutbox(statement)).toBe(isSo);
});
