import { setTimeout as delay } from 'node:timers/promises';
import { classifyFailure, judgeStatus, namesOutbox, type ConnectApi } from '@board/connectors';

type Status = Pick<ConnectApi, 'getStatus'>;

/** The keeper restarts what has failed, and for a moment it looks as if all were well. */
const patienceMs = 10_000;

/**
 * The statement at which the connector stands, if it may be passed over: after a change of the outbox that it has not
 * seen the connector would put values under the wrong columns.
 */
export async function readRefusedDdl(
  connect: Status,
  connector: string,
  isOfOtherDatabase: boolean,
  waitMs = patienceMs,
): Promise<string> {
  const statement = await findRefused(connect, connector, waitMs);
  if (statement === undefined)
    throw new Error(`${connector} does not stand at a statement that Debezium cannot parse: nothing to pass over.`);
  if (namesOutbox(statement) && !isOfOtherDatabase)
    throw new Error(
      'This statement may have changed the outbox, and the connector must not go on without knowing how. ' +
        'If it was run in another database, say --other-database. Else have the table read again: docs/runbook.md, ' +
        `"A refused statement".\n\n${statement}`,
    );
  return statement;
}

async function findRefused(connect: Status, connector: string, waitMs: number): Promise<string | undefined> {
  for (const deadline = performance.now() + waitMs; ; await delay(200)) {
    const health = judgeStatus(await connect.getStatus(connector));
    const failure = health.kind === 'failed' ? classifyFailure(health.trace) : undefined;
    if (failure?.kind === 'refused-statement') return failure.statement;
    if (performance.now() >= deadline) return undefined;
  }
}
