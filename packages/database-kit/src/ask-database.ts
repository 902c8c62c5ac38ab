import { createConnection } from 'mysql2';
import type { Connection } from './connection-options.ts';

/** Settles as soon as the server says anything to a login, be it a refusal. */
export function askDatabase(
  { host, port, user, password }: Omit<Connection, 'name'>,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const connection = createConnection({ host, port, user, password, connectTimeout: 0 });
    const settle = (): void => {
      connection.destroy();
      resolve();
    };
    // A whole login: the server blocks hosts that break off too many.
    connection.once('connect', () => connection.end(settle)).on('error', settle);
    signal.addEventListener('abort', settle, { once: true });
  });
}
