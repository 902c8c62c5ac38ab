import { askDatabase, type Connection } from '@board/mysql';
import { askBrokers, type KafkaAccess } from '@board/kafka';
import {
  askHttp,
  configFields,
  endWhenSilent,
  readConfig,
  type NeededServer,
} from '@board/service';
import { z } from 'zod';

/** The servers that a command cannot go on without. */
export interface NeededServers {
  readonly database?: Omit<Connection, 'name'>;
  readonly kafka?: KafkaAccess;
  readonly connectUrl?: string;
  readonly registryUrl?: string;
}

const schema = z.object({ SERVER_DEADLINE_MS: configFields.milliseconds().optional() });

/**
 * How long a command may take to undo what it began when a server is silent: a statement without an
 * answer, then a minute of tries.
 */
const undoMs = 100_000;

/**
 * Ends the process with the server's name and what to do when a server does not answer for
 * SERVER_DEADLINE_MS. With `stop`, that is aborted first, and the process ends 100 s later at the
 * latest.
 */
export function watchServers(
  { database, kafka, connectUrl, registryUrl }: NeededServers,
  {
    exitCode = 1,
    prefix = '',
    stop,
  }: { exitCode?: number; prefix?: string; stop?: AbortController } = {},
): void {
  const needed: NeededServer[] = [];
  if (database !== undefined) {
    const name = `MySQL at ${database.host}:${database.port}`;
    needed.push({ name, ask: (signal) => askDatabase(database, signal) });
  }
  if (kafka !== undefined) {
    needed.push({
      name: `Kafka at ${kafka.brokers.join(', ')}`,
      ask: (signal) => askBrokers(kafka, signal),
    });
  }
  if (connectUrl !== undefined) {
    needed.push({ name: `Connect at ${connectUrl}`, ask: (signal) => askHttp(connectUrl, signal) });
  }
  if (registryUrl !== undefined) {
    needed.push({
      name: `The registry at ${registryUrl}`,
      ask: (signal) => askHttp(registryUrl, signal),
    });
  }
  const end = (reason: string): void => {
    console.error(`${prefix}${reason}`);
    if (stop === undefined) process.exit(exitCode);
    stop.abort(new Error(reason));
    setTimeout(() => process.exit(exitCode), undoMs).unref();
  };
  endWhenSilent(needed, end, readConfig(schema, process.env).SERVER_DEADLINE_MS);
}
