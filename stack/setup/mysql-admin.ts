import { createConnection, type Connection } from 'mysql2/promise';

/** An account that may create databases, users and grants. */
export interface MysqlAdmin {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** Runs `work` on one connection of the administrator and closes it in every case. */
export async function asMysqlAdmin(admin: MysqlAdmin, work: (connection: Connection) => Promise<void>): Promise<void> {
  const { host, port, user, password } = admin;
  const connection = await createConnection({ host, port, user, password, charset: 'utf8mb4', connectTimeout: 10_000 });
  try {
    await work(connection);
  } finally {
    await connection.end();
  }
}
