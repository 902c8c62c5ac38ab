import { expect, it } from 'vitest';
import { classifyFailure, explainFailure, nameCause, namesOutbox } from './explain-failure.ts';

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

it.each([
  'TRUNCATE TABLE url',
  "CREATE TABLE outbox (\n  a VARCHAR(9) DEFAULT 'it''s',\n  url INT COMMENT 'x'\n)",
])('a refused statement is found whole with its quotes and lines: %j', (statement) => {
  expect(classifyFailure(refusal(statement))).toEqual({ kind: 'refused-statement', statement });
});

it('a statement that the parser remarks on more than once is found once', () => {
  const remark = (text: string) =>
    `io.debezium.text.ParsingException: DDL statement couldn't be parsed. Please open a GitHub issue at ` +
    `https://github.com/debezium/dbz/issues with the statement 'CREATE TABLE outbox (url TEXT)'\n${text} {A, B}`;
  const trace = traceOf(
    `Multiple parsing errors\n${remark("extraneous input 'url'")}\n${remark('mismatched input')}`,
  );
  expect(classifyFailure(trace)).toEqual({
    kind: 'refused-statement',
    statement: 'CREATE TABLE outbox (url TEXT)',
  });
});

it('the explanation is one line of at most 400 characters with the statement and the recipe', () => {
  expect(explainFailure(refusal('TRUNCATE\n  TABLE url'))).toBe(
    'Debezium cannot parse the statement "TRUNCATE TABLE url": docs/runbook.md, "A refused statement"',
  );
  expect(
    explainFailure(refusal(`CREATE TABLE outbox (${'url INT, '.repeat(200)}`))?.length,
  ).toBeLessThan(400);
});

it('a statement is found whole although its lines resemble its end, or another failure', () => {
  const hostile = [
    "CREATE TABLE url (\n  a INT DEFAULT 'x'\n NOT NULL,\n at DATETIME\n)",
    "CREATE TABLE url (\n\ta INT DEFAULT 'x'\n\tNOT NULL,\n\tat DATETIME(6)\n)",
    'TRUNCATE TABLE url /* The db history topic is missing */',
    "TRUNCATE TABLE url /* Failed to properly convert data value for 'a' of type INT */",
  ];
  for (const statement of hostile)
    expect(classifyFailure(refusal(statement))).toEqual({ kind: 'refused-statement', statement });
  // Of a form that this release of Debezium does not have.
  expect(classifyFailure(`DDL statement couldn't be parsed: ${hostile[2]}`)).toBeUndefined();
});

it('a statement cannot rewrite the terminal of its reader', () => {
  expect(explainFailure(refusal('TRUNCATE TABLE url /* \x1b[2J */'))).toContain(
    'TRUNCATE TABLE url /* \\u001b[2J */',
  );
});

it.each([
  "io.debezium.DebeziumException: Failed to properly convert data value for 'order_service.outbox.version' of type INT UNSIGNED",
  'io.debezium.DebeziumException: Error processing row in outbox, internal schema size 10, but row size 11 , restart connector with schema recovery mode.',
  "io.debezium.DebeziumException: Encountered change event for table order_service.outbox whose schema isn't known to this connector",
])('a row that does not fit its table leads to its recipe: %s', (cause) => {
  expect(explainFailure(traceOf(cause))).toMatch(/outbox.*"A row that does not fit"$/);
});

it.each([
  [
    'misfit',
    "io.debezium.DebeziumException: Failed to properly convert data value for 'a.outbox.b' of type INT",
  ],
  [
    'stale-history',
    'io.debezium.DebeziumException: The db history topic is missing. You may attempt to recover it',
  ],
  [
    'stale-history',
    "io.debezium.DebeziumException: Encountered change event for table a.outbox whose schema isn't known to this connector",
  ],
  [
    'stale-history',
    'io.debezium.DebeziumException: Error processing row in a.outbox, internal schema size 10, but row size 11 , restart connector',
  ],
])('the kind %s, by which the keeper decides on a rebuild, is found in: %s', (kind, cause) => {
  expect(classifyFailure(traceOf(cause))).toMatchObject({ kind });
});

it('every other cause has no explanation', () => {
  expect(
    explainFailure(traceOf('org.apache.kafka.common.errors.RecordTooLargeException: too large')),
  ).toBeUndefined();
});

it.each([
  ['TRUNCATE TABLE url', false],
  ['ALTER TABLE "outbox" ADD COLUMN a INT', true],
  ['CREATE TABLE scratch._OUTBOX_new (url INT)', true],
])('namesOutbox of "%s" is %s', (statement, isSo) => {
  expect(namesOutbox(statement)).toBe(isSo);
});

it('nameCause gives one line: the recipe, else the innermost cause', () => {
  expect(nameCause(refusal('TRUNCATE TABLE url'))).toMatch(
    /^Debezium cannot parse .*"A refused statement"$/,
  );
  expect(nameCause(traceOf('java.net.ConnectException: Connection refused'))).toBe(
    'java.net.ConnectException: Connection refused',
  );
  expect(nameCause('Connect gave no trace')).toBe('Connect gave no trace');
});
