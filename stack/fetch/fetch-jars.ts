import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runCommand } from '../run/run-command.ts';
import { cacheFolder, ensureCached, findCached, type Say } from './cache.ts';
import { findOnPath } from './find-on-path.ts';

/** What Maven fetched: class paths of brokers and Connect and of the registry, and the folder of Connect's plugins. */
export interface Jars {
  readonly kafka: readonly string[];
  readonly plugins: string;
  readonly registry: readonly string[];
}

const pom = resolve(import.meta.dirname, '../pom.xml');

const nameOf = (): string => `jars-${createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)}`;

export function findJars(): Jars | undefined {
  const folder = findCached(nameOf());
  return folder === undefined ? undefined : describe(folder);
}

/** Fetches what `pom.xml` names, once for each version of that file. */
export async function fetchJars(say: Say, signal?: AbortSignal): Promise<Jars> {
  const folder = await ensureCached(nameOf(), say, async (target) => {
    const mvn = findOnPath('mvn');
    if (mvn === undefined) throw new Error('Maven (mvn) is not on PATH: install it first.');
    const logFile = join(cacheFolder(), 'maven.log');
    say('Kafka, Connect, Debezium and the registry: fetching about 250 MB with Maven');
    const ticker = setInterval(() => say(`Maven: ${lastDownload(logFile)}`), 5000);
    try {
      const goals = ['copy-dependencies@kafka', 'unpack-dependencies@debezium', 'unpack-dependencies@apicurio'];
      await runCommand(
        {
          file: mvn,
          args: [
            '-B',
            // A file whose checksum does not fit fails the build.
            '-C',
            '-f',
            pom,
            `-Dtarget=${target}`,
            ...goals.map((goal) => `dependency:${goal}`),
          ],
        },
        { logFile, signal },
      );
    } finally {
      clearInterval(ticker);
    }
    const jars = describe(target);
    const debezium = join(jars.plugins, 'debezium-connector-mysql');
    const missing = [...jars.registry, debezium].find((path) => !existsSync(path));
    if (missing !== undefined) throw new Error(`Maven ended well, but ${missing} is missing.`);
    return { jars: jars.kafka.length };
  });
  return describe(folder);
}

// Sorted and spelled out: an AOT cache fits one exact class path.
function describe(folder: string): Jars {
  const jarsIn = (path: string): string[] =>
    readdirSync(join(folder, path))
      .filter((file) => file.endsWith('.jar'))
      .toSorted()
      .map((file) => join(folder, path, file));
  return {
    kafka: jarsIn('kafka'),
    plugins: join(folder, 'plugins'),
    // Transformed classes stand in for those of the same name further on.
    registry: [
      join(folder, 'registry/quarkus/transformed-bytecode.jar'),
      join(folder, 'registry/quarkus/generated-bytecode.jar'),
      ...['registry/app', 'registry/lib/boot', 'registry/lib/main'].flatMap(jarsIn),
    ],
  };
}

function lastDownload(logFile: string): string {
  if (!existsSync(logFile)) return 'starting';
  const files = [...readFileSync(logFile, 'utf8').matchAll(/Downloaded from .*\/(\S+) \((.*)\)/g)];
  const last = files.at(-1);
  return last === undefined ? 'reading project files' : `${files.length} files, latest ${last[1]} (${last[2]})`;
}
