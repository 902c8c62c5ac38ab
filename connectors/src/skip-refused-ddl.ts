import type { ConnectApi } from './connect-api.ts';
import type { FenceResult } from './judge-fence.ts';

export interface DdlSkip {
  readonly connect: Pick<ConnectApi, 'getConfig' | 'putConfig'>;
  readonly connector: string;
  /** As the trace of the failed task has it. */
  readonly statement: string;
  /** Waits until all that was committed before the call is in Kafka. */
  readonly awaitShipped: () => Promise<FenceResult>;
  readonly onProgress?: (line: string) => void;
}

const filterKey = 'internal.schema.history.internal.ddl.filter';
const skipKey = 'schema.history.internal.skip.unparseable.ddl';

/** Lets the connector pass over one statement that its parser refuses, with a setting that is taken back afterwards. */
export async function skipRefusedDdl(skip: DdlSkip): Promise<FenceResult> {
  const { connect, connector, statement, awaitShipped, onProgress = () => undefined } = skip;
  const running = await connect.getConfig(connector);
  if (running === undefined) return { cannotTell: `the connector ${connector} is not registered` };
  const strict = { ...withoutSkips(running), name: connector };
  const lenient = { ...strict, ...skipping(statement, strict) };
  let passed: FenceResult;
  try {
    onProgress('the statement is passed over, waiting until the connector has come to the present');
    await connect.putConfig(lenient);
    passed = await awaitShipped();
  } finally {
    await connect.putConfig(strict);
    onProgress('the connector has its own configuration again');
  }
  return passed === 'passed' ? awaitShipped() : passed;
}

type Config = Readonly<Record<string, string>>;

/** Whether a skip is under way, or has left its settings behind because it was killed in its middle. */
export function isSkippingDdl(running: Config): boolean {
  const own = withoutSkips(running);
  return running[skipKey] !== own[skipKey] || running[filterKey] !== own[filterKey];
}

/**
 * One more entry of the filter names this statement and no other. Debezium's own switch passes over all that it cannot
 * parse, and writes what was run in the captured database into the schema history, where every later start fails at it.
 * Only `TRUNCATE TABLE` needs the switch: Debezium does not ask the filter about it, except when it reads the history.
 */
function skipping(statement: string, { [filterKey]: filter }: Config): Config {
  if (/^(SET STATEMENT .*)?TRUNCATE TABLE /is.test(statement)) return { [skipKey]: 'true' };
  return { [filterKey]: [filter, literal(statement)].filter((entry) => entry !== undefined).join(',') };
}

/** Without what a skip has left that was killed in its middle; our own filter is one entry. */
function withoutSkips(running: Config): Config {
  const { [skipKey]: _, [filterKey]: filter, ...rest } = running;
  return { ...rest, ...(filter !== undefined && { [filterKey]: filter.split(',', 1).join('') }) };
}

/**
 * A regular expression for this text, without a comma, at which the list of filters would be split. Of the quotes it says
 * only where they are: the parser reports the statement with single quotes for double ones, and more names in backticks.
 */
function literal(text: string): string {
  return text
    .split(/["'`]+/)
    .map((part) => part.replaceAll(/[^A-Za-z0-9]/gu, (char) => `\\x{${(char.codePointAt(0) ?? 0).toString(16)}}`))
    .join('["\'`]*');
}
