import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ignore from '@balena/dockerignore';
import { checkout, readText } from './read-compose.ts';

/** What the last stage of the Dockerfile says of a container. */
export interface ReplayedImage {
  /** Stands for `/` of the image, without the base image's own files. */
  readonly root: string;
  readonly workdir: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly user: string;
}

/**
 * Does in folders what a build of our Dockerfile does in images; it knows the instructions that are
 * in it, and no other.
 */
export function replayDockerfile(folder: string): ReplayedImage {
  const stages = new Map<string, ReplayedImage>();
  let stage: ReplayedImage | undefined;
  for (const [instruction, rest] of instructions(readText('Dockerfile'))) {
    if (instruction === 'ARG') continue;
    if (instruction === 'FROM') {
      const name = / AS (\w+)$/.exec(rest)?.[1] ?? 'last';
      stage = { root: join(folder, name), workdir: '/', command: [], env: {}, user: 'root' };
      mkdirSync(stage.root);
      stages.set(name, stage);
      continue;
    }
    if (stage === undefined) throw new Error(`${instruction} before FROM`);
    stage = step(stage, instruction, rest, stages);
    stages.set([...stages.keys()].at(-1) ?? '', stage);
  }
  if (stage === undefined) throw new Error('the Dockerfile has no stage');
  return stage;
}

function* instructions(dockerfile: string): Generator<readonly [string, string]> {
  for (const line of dockerfile.replaceAll('\\\n', ' ').split('\n')) {
    const [, instruction, rest] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    if (instruction !== undefined && rest !== undefined) yield [instruction, rest];
  }
}

function step(
  stage: ReplayedImage,
  instruction: string,
  rest: string,
  stages: ReadonlyMap<string, ReplayedImage>,
): ReplayedImage {
  switch (instruction) {
    case 'WORKDIR':
      mkdirSync(join(stage.root, rest), { recursive: true });
      return { ...stage, workdir: rest };
    case 'ENV': {
      const [name = '', value = ''] = rest.split('=');
      return { ...stage, env: { ...stage.env, [name]: value } };
    }
    case 'USER':
      return { ...stage, user: rest };
    case 'CMD':
      return { ...stage, command: JSON.parse(rest) as string[] };
    case 'COPY':
      copy(stage, rest, stages);
      return stage;
    case 'RUN': {
      const cwd = join(stage.root, stage.workdir);
      const { status, stderr } = spawnSync('sh', ['-c', rest], {
        cwd,
        encoding: 'utf8',
        timeout: 240_000,
      });
      if (status !== 0) throw new Error(`RUN ${rest} ended with ${status}:\n${stderr}`);
      return stage;
    }
    default:
      throw new Error(`${instruction} is not known here: teach it, or build with an engine`);
  }
}

function copy(
  stage: ReplayedImage,
  rest: string,
  stages: ReadonlyMap<string, ReplayedImage>,
): void {
  const [, from, source = '', target = ''] = /^(?:--from=(\w+) )?(\S+) (\S+)$/.exec(rest) ?? [];
  const to = resolve(stage.root, `.${stage.workdir}`, target);
  if (from !== undefined) {
    const origin = stages.get(from);
    if (origin === undefined) throw new Error(`COPY ${rest}: no such stage`);
    cpSync(join(origin.root, source), to, { recursive: true, verbatimSymlinks: true });
    return;
  }
  if (source !== '.') throw new Error(`COPY ${rest}: only "." is known here`);
  for (const file of buildContext()) cpSync(join(checkout, file), join(to, file));
}

/** The files that a build would get: what .dockerignore leaves. */
function buildContext(): string[] {
  const isWanted = ignore.default().add(readText('.dockerignore')).createFilter();
  const walk = (folder: string): string[] =>
    readdirSync(join(checkout, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      // Ignored in any case, and large.
      if (['node_modules', '.git', '.stack'].includes(entry.name)) return [];
      return entry.isDirectory() ? walk(path) : [path];
    });
  return walk('').filter((path) => isWanted(path));
}
