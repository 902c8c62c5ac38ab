import { openConnection, pinSession, type DriverConnection } from '@board/mysql';

/** An account that may create databases, users and grants. */
export interface MysqlAdmin {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** Runs `work` on one connection of the administrator and closes it in every case. */
export async function asMysqlAdmin(
  admin: MysqlAdmin,
  work: (connection: DriverConnection) => Promise<void>,
): Promise<void> {
  const { host, port, user, password } = admin;
  const connection = await openConnection({
    host,
    port,
    user,
    password,
    charset: 'utf8mb4',
    connectTimeout: 10_000,
  }).catch((error: unknown) => {
    throw isAccessDenied(error) ? new Error(explainRefusal(admin), { cause: error }) : error;
  });
  try {
    await connection.query(pinSession());
    await work(connection);
  } finally {
    await connection.end();
  }
}

function isAccessDenied(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ER_ACCESS_DENIED_ERROR';
}

/** A data folder keeps the password that it was made with. */
function explainRefusal({ host, port, user }: MysqlAdmin): string {
  return (
    `Access denied: MySQL at ${host}:${port} refuses the password of ${user}, so its data was made with another one. ` +
    'Bring that password back, or delete the data ("docker compose down -v" for containers).'
  );
}
