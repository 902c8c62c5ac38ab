import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Say } from './cache.ts';
import { fetchPrivateRoot, findPrivateRoot, type PrivateRoot } from './private-root.ts';
import { findOnPath, isExecutable, isHermetic } from './read-system.ts';
import { fitsJava, parseJavaVersion, readOutput, type Version } from './read-version.ts';

/** How to start a Java that the servers run on. */
export interface Java {
  readonly command: readonly string[];
  readonly version: Version;
}

const rootName = 'root-java';
const systemFolder = '/usr/lib/jvm';

/** The machine's best Java: 25 if there is one (its AOT caches start servers in half the time), else the newest from 21 on. */
export async function findSystemJava(): Promise<Java | undefined> {
  const home = process.env['JAVA_HOME'];
  const onPath = findOnPath('java');
  const homes = existsSync(systemFolder) ? readdirSync(systemFolder).map((name) => join(systemFolder, name)) : [];
  const files = [
    ...(home === undefined ? [] : [join(home, 'bin/java')]),
    ...homes.map((folder) => join(folder, 'bin/java')),
    ...(onPath === undefined ? [] : [onPath]),
  ].filter(isExecutable);
  const distinct = [...new Set(files.map((file) => realpathSync(file)))];
  const found = await Promise.all(distinct.map((file) => readJava([file])));
  return chooseJava(found.filter((java) => java !== undefined));
}

export function chooseJava(candidates: readonly Java[]): Java | undefined {
  const fitting = candidates.filter(({ version }) => fitsJava(version));
  return (
    fitting.find(({ version }) => version.major === 25) ??
    fitting.toSorted((a, b) => b.version.major - a.version.major)[0]
  );
}

/** The Java to use, fetched from the distribution when the machine has none. */
export async function ensureJava(say: Say, signal?: AbortSignal): Promise<Java> {
  const system = isHermetic() ? undefined : await findSystemJava();
  if (system !== undefined) return system;
  const root = await fetchPrivateRoot(rootName, ['openjdk-25-jre-headless'], say, signal);
  const java = await readJava(javaOf(root));
  if (java === undefined) throw new Error(`The Java in ${root.folder} does not run.`);
  return java;
}

export function hasFetchedJava(): boolean {
  return findPrivateRoot(rootName) !== undefined;
}

function javaOf(root: PrivateRoot): string[] {
  const jvm = join(root.folder, 'usr/lib/jvm');
  const name = readdirSync(jvm).find((entry) => /^java-\d+-openjdk/.test(entry));
  return [...root.loader, join(jvm, name ?? '', 'bin/java')];
}

async function readJava(command: readonly string[]): Promise<Java | undefined> {
  const version = parseJavaVersion(await readOutput(command, ['-version']));
  return version === undefined ? undefined : { command, version };
}
