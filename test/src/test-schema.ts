import { randomBytes } from 'node:crypto';
import { openConnection, type DriverConnection } from '@board/mysql';
import type { StackAddresses } from './stack-addresses.ts';

/** A schema of one test, in the shape that services take it from their environment. */
export interface TestSchema {
  readonly name: string;
  readonly connection: { host: string; port: number; name: string; user: string; password: string };
  /** A connection of root, outside the code under test. */
  readonly root: DriverConnection;
  drop(): Promise<void>;
}

/** A name that no other test has, fit for schemas, topics and groups. */
export function uniqueName(prefix = 'test'): string {
  return `${prefix}_${randomBytes(5).toString('hex')}`;
}

export async function createTestSchema(
  { mysql }: Pick<StackAddresses, 'mysql'>,
  name = uniqueName(),
): Promise<TestSchema> {
  const { host, port, rootPassword: password } = mysql;
  const root = await openConnection({
    host,
    port,
    user: 'root',
    password,
    timezone: 'Z',
    charset: 'utf8mb4',
  });
  await root.query('CREATE DATABASE ??', [name]);
  await root.query('USE ??', [name]);
  return {
    name,
    connection: { host, port, name, user: 'root', password },
    root,
    async drop() {
      await root.query('DROP DATABASE ??', [name]);
      await root.end();
    },
  };
}
