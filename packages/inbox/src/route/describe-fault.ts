import { describeServerFault, type Connection } from '@board/database-kit';
import type { Inbox } from '../inbox.ts';
import { describeError } from './describe-error.ts';

/** A fault of a server in one line for an operator; of the database with its address, which its errors do not name. */
export function describeFault({ dataSource }: Pick<Inbox<never>, 'dataSource'>, error: unknown): string {
  const { host, port } = dataSource.options as Pick<Connection, 'host' | 'port'>;
  return describeServerFault(error, { host, port }) ?? describeError(error).message;
}
