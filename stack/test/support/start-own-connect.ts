import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ensurePrograms } from '../../fetch/ensure-programs.ts';
import { locateInstance, makeFolders } from '../../instance/instance.ts';
import { ensureSecrets } from '../../instance/secrets.ts';
import { pickFreePort, portsAt } from '../../instance/ports.ts';
import { runCommand } from '../../run/run-command.ts';
import { waitUntilReady } from '../../run/supervise.ts';
import { connectServer, connectUrl } from '../../servers/connect.ts';
import { loopbackHosts } from '../../servers/server.ts';
import { properties } from '../../servers/settings.ts';

export interface OwnConnect {
  readonly url: string;
  /** The names of its topics start so. */
  readonly name: string;
  /** Kills the worker. */
  kill(): Promise<void>;
  /** Starts it again; resolves when the process is there, long before it has read its topics. */
  start(): void;
  ready(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The stack's Connect worker once more, with a group and topics of its own on the shared brokers,
 * for a test that kills it.
 */
export async function startOwnConnect(
  name: string,
  brokers: readonly string[],
): Promise<OwnConnect> {
  const folder = mkdtempSync(join(tmpdir(), 'own-connect-'));
  const instance = locateInstance('own', folder);
  makeFolders(instance);
  const context = {
    instance,
    cluster: 'kraft',
    hosts: loopbackHosts,
    secrets: ensureSecrets(instance),
    programs: await ensurePrograms('kraft', () => undefined, new AbortController().signal),
    ports: { ...portsAt(0), connect: await pickFreePort() },
  } as const;
  const server = connectServer(context);
  await server.prepare((task, command) =>
    runCommand(command, { logFile: resolve(instance.logDir, `${task}.log`) }),
  );
  // The last value of a key counts.
  const own = {
    'bootstrap.servers': brokers.join(','),
    'group.id': name,
    ...Object.fromEntries(
      ['config', 'offset', 'status'].map((kind) => [`${kind}.storage.topic`, `${name}-${kind}`]),
    ),
  };
  appendFileSync(resolve(instance.configDir, 'connect.properties'), `\n${properties(own)}`);
  const { file, args, cwd, env } = await server.command();

  let running: { kill(): Promise<void> } | undefined;
  function start(): void {
    const child = spawn(file, [...args], { cwd, stdio: 'ignore', env: { ...process.env, ...env } });
    const ended = once(child, 'exit');
    running = {
      async kill() {
        child.kill('SIGKILL');
        await ended;
      },
    };
  }
  const kill = async (): Promise<void> => {
    await running?.kill();
    running = undefined;
  };
  const stop = async (): Promise<void> => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const ready = () =>
    waitUntilReady('own Connect', server.probe, 90_000, AbortSignal.timeout(90_000));

  start();
  try {
    await ready();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: connectUrl(context), name, kill, start, ready, stop };
}
