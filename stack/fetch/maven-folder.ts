import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checkout } from '../instance/instance.ts';
import { runCommand } from '../run/run-command.ts';
import { cacheFolder, ensureCached, findCached, type Say } from './cache.ts';
import { findOnPath } from './read-system.ts';

/** A cached folder that Maven fills from a project file of ours. */
export interface MavenFolder {
  readonly prefix: string;
  /** In `infra/maven`; it leaves the versions of the servers open. */
  readonly pom: string;
  /** Of the servers, by the names of Maven's properties. */
  readonly versions: Readonly<Record<string, string>>;
  /** Goals of Maven's dependency plugin. */
  readonly goals: readonly string[];
  /** What is fetched, for people. */
  readonly what: string;
  /** Paths that must be there in the end. */
  readonly holds: readonly string[];
}

const pomOf = ({ pom }: MavenFolder): string => resolve(checkout, 'infra/maven', pom);

function nameOf(folder: MavenFolder): string {
  const hash = createHash('sha256')
    .update(readFileSync(pomOf(folder)))
    .update(options(folder).join(' '))
    .digest('hex');
  return `${folder.prefix}-${hash.slice(0, 12)}`;
}

const options = ({ versions }: MavenFolder): string[] =>
  Object.entries(versions).map(([name, version]) => `-D${name}=${version}`);

export function findMavenFolder(folder: MavenFolder): string | undefined {
  return findCached(nameOf(folder));
}

/** Fetches what the project file names, once for each version of that file. */
export function fetchMavenFolder(folder: MavenFolder, say: Say, signal?: AbortSignal): Promise<string> {
  return ensureCached(nameOf(folder), say, async (target) => {
    const mvn = findOnPath('mvn');
    if (mvn === undefined) throw new Error('Maven (mvn) is not on PATH: install it first.');
    const logFile = join(cacheFolder(), `${folder.prefix}.log`);
    say(`${folder.what} with Maven`);
    const ticker = setInterval(() => say(`Maven: ${lastDownload(logFile)}`), 5000);
    try {
      await runCommand(
        {
          file: mvn,
          // As for the servers: else it cannot read a project file below a folder with letters of other alphabets.
          env: { LC_ALL: 'C.UTF-8' },
          args: [
            '-B',
            // A file whose checksum does not fit fails the build.
            '-C',
            '-f',
            pomOf(folder),
            `-Dtarget=${target}`,
            ...options(folder),
            ...folder.goals.map((goal) => `dependency:${goal}`),
          ],
        },
        { logFile, signal },
      );
    } finally {
      clearInterval(ticker);
    }
    const missing = folder.holds.map((path) => join(target, path)).find((path) => !existsSync(path));
    if (missing !== undefined) throw new Error(`Maven ended well, but ${missing} is missing.`);
    return { pom: folder.pom };
  });
}

function lastDownload(logFile: string): string {
  if (!existsSync(logFile)) return 'starting';
  const files = [...readFileSync(logFile, 'utf8').matchAll(/Downloaded from .*\/(\S+) \((.*)\)/g)];
  const last = files.at(-1);
  return last === undefined ? 'reading project files' : `${files.length} files, latest ${last[1]} (${last[2]})`;
}
