import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout, readText } from './read-compose.ts';
import { replayDockerfile } from './replay-dockerfile.ts';

interface ContainerRun {
  readonly child: ChildProcess;
  /** All that it has written so far. */
  readonly output: () => string;
  readonly exitCode: Promise<number | null>;
  /** SIGTERM, as compose sends it. */
  readonly stop: () => void;
}

/** Our image, built by an engine, or its Dockerfile replayed in a folder. */
export interface Image {
  readonly how: string;
  /** Its processes are another user's than its files. */
  readonly isWalled: boolean;
  /**
   * Runs a command, the image's own when it is empty; on the machine's network, with secrets as
   * files of the machine.
   */
  readonly run: (
    command: readonly string[],
    env: Readonly<Record<string, string>>,
    files?: readonly string[],
  ) => ContainerRun;
  readonly remove: () => void;
}

export function openImage(): Image {
  const problem = engineProblem();
  return problem === undefined ? buildWithEngine() : replay(problem);
}

const docker = (...args: string[]) =>
  spawnSync('docker', args, { cwd: checkout, encoding: 'utf8', timeout: 280_000 });

/** Why this machine builds no image, undefined when it does. */
function engineProblem(): string | undefined {
  const info = docker('info', '--format', '{{.ServerVersion}}');
  if (info.error !== undefined || info.status !== 0)
    return `docker info: ${info.error?.message ?? info.stderr.trim()}`;
  const [, base = ''] = /^ARG NODE=(\S+)$/m.exec(readText('Dockerfile')) ?? [];
  if (docker('image', 'inspect', base).status === 0) return undefined;
  const pull = docker('pull', '--quiet', base);
  return pull.status === 0 ? undefined : `docker pull ${base}: ${pull.stderr.trim()}`;
}

function buildWithEngine(): Image {
  const name = `board-pipeline-test:${process.pid}`;
  const build = docker('build', '--network', 'host', '--tag', name, '.');
  if (build.status !== 0)
    throw new Error(`docker build ended with ${build.status}:\n${build.stdout}\n${build.stderr}`);
  let count = 0;
  return {
    how: 'built and run by an engine',
    isWalled: true,
    run(command, env, files = []) {
      count += 1;
      const container = `board-pipeline-test-${process.pid}-${count}`;
      // The same walls as in docker-compose.yml.
      const walls = [
        '--read-only',
        '--tmpfs',
        '/tmp',
        '--cap-drop',
        'ALL',
        '--security-opt',
        'no-new-privileges',
        '--init',
      ];
      const mounts = files.flatMap((file) => ['--volume', `${file}:${file}:ro`]);
      const settings = Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
      const args = [
        'run',
        '--rm',
        '--name',
        container,
        '--network',
        'host',
        ...walls,
        ...mounts,
        ...settings,
        name,
        ...command,
      ];
      return watch(spawn('docker', args), () => void docker('kill', '--signal', 'TERM', container));
    },
    remove: () => void docker('image', 'rm', '--force', name),
  };
}

function replay(problem: string): Image {
  const folder = mkdtempSync(join(tmpdir(), 'board-image-'));
  // Readable for the user that it is run as.
  chmodSync(folder, 0o755);
  const image = replayDockerfile(folder);
  const user = { uid: 1000, gid: 1000 };
  const isNode =
    image.user === 'node' && spawnSync(process.execPath, ['-p', '1'], user).status === 0;
  return {
    how: `Dockerfile replayed in a folder${isNode ? ' as uid 1000' : ''} (${problem})`,
    isWalled: isNode,
    run(command, env) {
      const [program, ...args] = command.length === 0 ? image.command : command;
      if (program !== 'node') throw new Error(`${program} is not in the replayed image`);
      const child = spawn(process.execPath, args, {
        cwd: join(image.root, image.workdir),
        env: { PATH: process.env['PATH'], ...image.env, ...env },
        ...(isNode ? user : {}),
      });
      return watch(child, () => child.kill('SIGTERM'));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function watch(child: ChildProcess, stop: () => void): ContainerRun {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const exitCode = once(child, 'close').then(([code]) => code as number | null);
  return { child, output: () => text, exitCode, stop };
}
