import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectApi } from './connect-api.ts';
import { keepTrying } from './connect-request.ts';
import type { ConnectorConfig } from './connector-definition.ts';
import { classifyStatus } from './connector-status.ts';
import { classifyFailure } from './explain-failure.ts';
import type { FenceResult } from './fence.ts';

export interface DdlSkip {
  readonly connect: Pick<ConnectApi, 'getConfig' | 'putConfig' | 'getStatus'>;
  readonly connector: string;
  /** As the trace of the failed task has it. */
  readonly statement: string;
  /**
   * Asked about each further statement at which the connector then stands; throws when it must not
   * be passed over.
   */
  readonly approve: (statement: string) => Promise<void>;
  /** Waits until all that was committed before the call is in Kafka, or the signal aborts. */
  readonly awaitShipped: (signal: AbortSignal) => Promise<FenceResult>;
  readonly onProgress?: (line: string) => void;
  /** For the way back. */
  readonly patienceMs?: number;
}

const filterKey = 'internal.schema.history.internal.ddl.filter';
const skipKey = 'schema.history.internal.skip.unparseable.ddl';
const pollMs = 500;

/**
 * Lets the connector pass over statements that its parser refuses, with a setting that is taken
 * back afterwards. Several in a row need it together: between them the connector may store no
 * position.
 */
export async function skipRefusedDdl(skip: DdlSkip): Promise<FenceResult> {
  const { connect, connector, approve, onProgress = () => undefined } = skip;
  const statements: string[] = [];
  let next: string | undefined = skip.statement;
  let shipped: FenceResult = {
    kind: 'cannot-tell',
    reason: `the connector ${connector} is not registered`,
  };
  try {
    while (next !== undefined) {
      const running = await connect.getConfig(connector);
      if (running === undefined) return shipped;
      statements.push(next);
      const own = withoutSkips(running);
      await connect.putConfig({ ...own, ...skipping(statements, own), name: connector });
      onProgress(
        'the statement is passed over, waiting until the connector has come to the present',
      );
      ({ next, shipped } = await waitOrFindNext(skip, statements));
      if (next !== undefined) await approve(next);
    }
  } finally {
    await endDdlSkip(connect, connector, skip.patienceMs);
    onProgress('the connector has its own configuration again');
  }
  // It has started once more, and must not find any of them before it.
  return shipped.kind === 'passed' ? (await waitOrFindNext(skip, [])).shipped : shipped;
}

/**
 * Takes back what a skip has set, as the configuration is now: it may have been changed since.
 * False when there was nothing to take back.
 */
export function endDdlSkip(
  connect: Pick<ConnectApi, 'getConfig' | 'putConfig'>,
  connector: string,
  patienceMs?: number,
): Promise<boolean> {
  return keepTrying(async () => {
    const running = await connect.getConfig(connector);
    if (running === undefined || !isSkippingDdl(running)) return false;
    await connect.putConfig({ ...withoutSkips(running), name: connector });
    return true;
  }, patienceMs);
}

/** The statement at which the connector stands now. */
export async function readRefusedDdl(
  connect: Pick<ConnectApi, 'getStatus'>,
  connector: string,
): Promise<string | undefined> {
  const health = classifyStatus(await connect.getStatus(connector));
  const failure = health.kind === 'failed' ? classifyFailure(health.trace) : undefined;
  return failure?.kind === 'refused-statement' ? failure.statement : undefined;
}

/**
 * `next`: a statement that the connector refuses and that is none of these; for a moment the status
 * may still name one of these.
 */
async function waitOrFindNext(
  { connect, connector, awaitShipped }: DdlSkip,
  statements: readonly string[],
): Promise<{ readonly next: string | undefined; readonly shipped: FenceResult }> {
  const ended = new AbortController();
  const waiting = awaitShipped(ended.signal).finally(() => ended.abort());
  // It is awaited below.
  waiting.catch(() => undefined);
  let next: string | undefined;
  while (!ended.signal.aborted) {
    // The wait reports a Connect that does not answer.
    const refused = await readRefusedDdl(connect, connector).catch(() => undefined);
    if (refused !== undefined && !statements.includes(refused)) {
      next = refused;
      ended.abort();
    } else await delay(pollMs, undefined, { signal: ended.signal }).catch(() => undefined);
  }
  const shipped = await waiting;
  return shipped.kind === 'passed' ? { next: undefined, shipped } : { next, shipped };
}

/**
 * Whether a skip is under way, or has left its settings behind because it was killed in its middle.
 */
export function isSkippingDdl(running: ConnectorConfig): boolean {
  const own = withoutSkips(running);
  return running[skipKey] !== own[skipKey] || running[filterKey] !== own[filterKey];
}

/**
 * One more entry of the filter names each statement and no other. Debezium's own switch passes over
 * all that it cannot parse, and writes what was run in the captured database into the schema
 * history, where every later start fails at it. Only `TRUNCATE TABLE` needs the switch: Debezium
 * does not ask the filter about it, except when it reads the history.
 */
function skipping(
  statements: readonly string[],
  { [filterKey]: filter }: ConnectorConfig,
): ConnectorConfig {
  const isTruncate = (statement: string): boolean =>
    /^(SET STATEMENT .*)?TRUNCATE TABLE /is.test(statement);
  const named = statements.filter((statement) => !isTruncate(statement)).map(literal);
  return {
    ...(statements.some(isTruncate) && { [skipKey]: 'true' }),
    ...(named.length > 0 && {
      [filterKey]: [filter, ...named].filter((entry) => entry !== undefined).join(','),
    }),
  };
}

/** Without what a skip has left that was killed in its middle; our own filter is one entry. */
function withoutSkips(running: ConnectorConfig): ConnectorConfig {
  const { [skipKey]: _, [filterKey]: filter, ...rest } = running;
  return { ...rest, ...(filter !== undefined && { [filterKey]: filter.split(',', 1).join('') }) };
}

/**
 * A regular expression for this text, without a comma, at which the list of filters would be split.
 * Of the quotes it says only where they are: the parser reports the statement with single quotes
 * for double ones, and more names in backticks.
 */
function literal(text: string): string {
  return text
    .split(/["'`]+/)
    .map((part) =>
      part.replaceAll(
        /[^A-Za-z0-9]/gu,
        (char) => `\\x{${(char.codePointAt(0) ?? 0).toString(16)}}`,
      ),
    )
    .join('["\'`]*');
}
