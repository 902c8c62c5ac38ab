import { join } from 'node:path';
import type { Say } from './cache.ts';
import { fetchPrivateRoot, findPrivateRoot, type PrivateRoot } from './private-root.ts';
import { findOnPath, isHermetic } from './read-system.ts';
import { fitsMysql, parseMysqlVersion, readOutput, type Version } from './read-version.ts';

/** How to start a MySQL server. */
export interface Mysqld {
  readonly command: readonly string[];
  readonly version: Version;
  /** Settings that this copy of the server needs. */
  readonly settings: Readonly<Record<string, string>>;
  readonly isSystem: boolean;
}

const rootName = 'root-mysql';
const candidates = ['mysql-server-core', 'mysql-server-core-8.4', 'mysql-server-core-9'];

/** The machine's own mysqld, when its version fits. */
export async function findSystemMysqld(): Promise<Mysqld | undefined> {
  const file = findOnPath('mysqld', ['/usr/sbin', '/usr/local/sbin', '/usr/local/mysql/bin']);
  if (file === undefined) return undefined;
  return read([file], {}, true);
}

/** The MySQL server to use, fetched from the distribution when the machine has none. */
export async function ensureMysqld(say: Say, signal?: AbortSignal): Promise<Mysqld> {
  const system = isHermetic() ? undefined : await findSystemMysqld();
  if (system !== undefined) return system;
  const root = await fetchPrivateRoot(rootName, candidates, say, signal);
  const mysqld = await readPrivate(root);
  if (mysqld === undefined) throw new Error(`The mysqld in ${root.folder} is not MySQL 8.4 or 9.x.`);
  return mysqld;
}

export function hasFetchedMysqld(): boolean {
  return findPrivateRoot(rootName) !== undefined;
}

function readPrivate(root: PrivateRoot): Promise<Mysqld | undefined> {
  const settings = {
    basedir: join(root.folder, 'usr'),
    'lc-messages-dir': join(root.folder, 'usr/share/mysql'),
  };
  return read([...root.loader, join(root.folder, 'usr/sbin/mysqld')], settings, false);
}

async function read(
  command: readonly string[],
  settings: Readonly<Record<string, string>>,
  isSystem: boolean,
): Promise<Mysqld | undefined> {
  const version = parseMysqlVersion(await readOutput(command, ['--no-defaults', '--version']));
  return version !== undefined && fitsMysql(version) ? { command, version, settings, isSystem } : undefined;
}
