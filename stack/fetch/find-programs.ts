import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, isExecutable, readOutput } from '../run/run-command.ts';
import { findCached, type Say } from './cache.ts';
import { fetchPrivateRoot, type PrivateRoot } from './private-root.ts';

/** Major and minor number of a program. */
interface Version {
  readonly major: number;
  readonly minor: number;
  readonly text: string;
}

interface Program {
  readonly command: readonly string[];
  readonly version: Version;
}

/** How to start a Java that the servers run on. */
export type Java = Program;

/** How to start a MySQL server. */
export interface Mysqld extends Program {
  /** Settings that this copy of the server needs. */
  readonly settings: Readonly<Record<string, string>>;
  readonly isSystem: boolean;
}

/**
 * A program that the machine may have in a fitting version; else it is fetched from the
 * distribution.
 */
export interface Wanted<Found extends Program = Program> {
  readonly onMachine: () => Promise<Found | undefined>;
  readonly rootName: string;
  readonly packages: readonly string[];
  readonly inRoot: (root: PrivateRoot) => Promise<Found | undefined>;
  /** What is wrong when it was fetched and does not fit. */
  readonly misfit: (root: PrivateRoot) => string;
}

/**
 * The machine's best Java: 25 if there is one (its AOT caches start servers in half the time), else
 * the newest from 21 on.
 */
export const wantedJava: Wanted<Java> = {
  onMachine: async () => {
    const home = process.env['JAVA_HOME'];
    const onPath = findOnPath('java');
    const homes = existsSync('/usr/lib/jvm')
      ? readdirSync('/usr/lib/jvm').map((name) => join('/usr/lib/jvm', name))
      : [];
    const files = [
      ...[...(home === undefined ? [] : [home]), ...homes].map((folder) =>
        join(folder, 'bin/java'),
      ),
      ...(onPath === undefined ? [] : [onPath]),
    ].filter(isExecutable);
    const distinct = [...new Set(files.map((file) => realpathSync(file)))];
    const found = await Promise.all(distinct.map((file) => readJava([file])));
    return chooseJava(found.filter((java) => java !== undefined));
  },
  rootName: 'root-java',
  packages: ['openjdk-25-jre-headless'],
  inRoot: ({ folder, loader }) => {
    const jvm = join(folder, 'usr/lib/jvm');
    const name = readdirSync(jvm).find((entry) => /^java-\d+-openjdk/.test(entry));
    return readJava([...loader, join(jvm, name ?? '', 'bin/java')]);
  },
  misfit: ({ folder }) => `The Java in ${folder} does not run.`,
};

/** MySQL 8.4 or 9.x; MariaDB and MySQL 8.0 lack what the pipeline needs. */
export const wantedMysqld: Wanted<Mysqld> = {
  onMachine: async () => {
    const file = findOnPath('mysqld', ['/usr/sbin', '/usr/local/sbin', '/usr/local/mysql/bin']);
    return file === undefined ? undefined : readMysqld([file], { settings: {}, isSystem: true });
  },
  rootName: 'root-mysql',
  packages: ['mysql-server-core', 'mysql-server-core-8.4', 'mysql-server-core-9'],
  inRoot: ({ folder, loader }) => {
    const settings = {
      basedir: join(folder, 'usr'),
      'lc-messages-dir': join(folder, 'usr/share/mysql'),
    };
    return readMysqld([...loader, join(folder, 'usr/sbin/mysqld')], { settings, isSystem: false });
  },
  misfit: ({ folder }) => `The mysqld in ${folder} is not MySQL 8.4 or 9.x.`,
};

/** The machine's own; with `STACK_HERMETIC=1` none, whatever the machine has. */
export async function findOnMachine<Found extends Program>(
  wanted: Wanted<Found>,
): Promise<Found | undefined> {
  return process.env['STACK_HERMETIC'] === '1' ? undefined : wanted.onMachine();
}

/** Whether the private root of this program is complete in the cache. */
export function isFetched({ rootName }: Wanted): boolean {
  return findCached(rootName) !== undefined;
}

/** Finds Java or fetches it. */
export const ensureJava = (say: Say, signal?: AbortSignal): Promise<Java> =>
  ensure(wantedJava, say, signal);
/** Finds mysqld or fetches it. */
export const ensureMysqld = (say: Say, signal?: AbortSignal): Promise<Mysqld> =>
  ensure(wantedMysqld, say, signal);

async function ensure<Found extends Program>(
  wanted: Wanted<Found>,
  say: Say,
  signal: AbortSignal | undefined,
): Promise<Found> {
  const own = await findOnMachine(wanted);
  if (own !== undefined) return own;
  const root = await fetchPrivateRoot(wanted.rootName, wanted.packages, say, signal);
  const fetched = await wanted.inRoot(root);
  if (fetched === undefined) throw new Error(wanted.misfit(root));
  return fetched;
}

/** The preferred one of the candidates that fit: 25, else the newest. */
export function chooseJava(candidates: readonly Java[]): Java | undefined {
  const fitting = candidates.filter(({ version }) => fitsJava(version));
  return (
    fitting.find(({ version }) => version.major === 25) ??
    fitting.toSorted((a, b) => b.version.major - a.version.major)[0]
  );
}

async function readJava(command: readonly string[]): Promise<Java | undefined> {
  const version = parseJavaVersion(await readOutput(command, ['-version']));
  return version === undefined ? undefined : { command, version };
}

type Kind = Pick<Mysqld, 'settings' | 'isSystem'>;
async function readMysqld(command: readonly string[], kind: Kind): Promise<Mysqld | undefined> {
  const version = parseMysqlVersion(await readOutput(command, ['--no-defaults', '--version']));
  return version !== undefined && fitsMysql(version) ? { command, version, ...kind } : undefined;
}

/** Reads `mysqld --version`; undefined for MariaDB. */
export function parseMysqlVersion(output: string): Version | undefined {
  return /mariadb/i.test(output) ? undefined : parse(/Ver (\d+)\.(\d+)(\S*)/.exec(output));
}

/** `-version` prints `openjdk version "25.0.3" ...`; Java 8 prints `1.8`. */
export function parseJavaVersion(output: string): Version | undefined {
  return parse(/version "(\d+)(?:\.(\d+))?([^"]*)"/.exec(output));
}

/** The pipeline needs MySQL 8.4 or 9.x. */
export function fitsMysql({ major, minor }: Version): boolean {
  return major === 9 || (major === 8 && minor >= 4);
}

/** The registry needs 21. */
export function fitsJava({ major }: Version): boolean {
  return major >= 21;
}

function parse(match: RegExpExecArray | null): Version | undefined {
  if (match === null) return undefined;
  const [, major = '0', minor, rest = ''] = match;
  const text = minor === undefined ? `${major}${rest}` : `${major}.${minor}${rest}`;
  return { major: Number(major), minor: Number(minor ?? 0), text };
}
