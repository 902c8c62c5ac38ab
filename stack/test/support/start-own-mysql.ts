import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ensureMysqld } from '../../fetch/find-programs.ts';
import { locateInstance, makeFolders } from '../../instance/instance.ts';
import { ensureSecrets } from '../../instance/secrets.ts';
import { pickFreePort, portsAt } from '../../instance/ports.ts';
import { runCommand } from '../../run/run-command.ts';
import { waitUntilReady } from '../../run/supervise.ts';
import { mysqlServer } from '../../servers/mysql.ts';
import { loopbackHosts } from '../../servers/server.ts';

export interface OwnMysql {
  readonly host: string;
  readonly port: number;
  readonly rootPassword: string;
  /** Kills it with SIGKILL; its data stay. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, and resolves once it answers. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The stack's MySQL server once more, empty and for one test alone: for what would disturb all
 * other tests on the shared one.
 */
export async function startOwnMysql(options: readonly string[] = []): Promise<OwnMysql> {
  const folder = mkdtempSync(join(tmpdir(), 'own-mysql-'));
  const instance = locateInstance('own', folder);
  makeFolders(instance);
  const secrets = ensureSecrets(instance);
  const port = await pickFreePort();
  const server = mysqlServer({
    instance,
    secrets,
    hosts: loopbackHosts,
    ports: { ...portsAt(0), mysql: port },
    programs: { mysqld: await ensureMysqld(() => undefined) },
  });
  await server.prepare((name, command) =>
    runCommand(command, { logFile: resolve(instance.logDir, `${name}.log`) }),
  );
  const { file, args, cwd } = await server.command();
  let kill = (): Promise<void> => Promise.resolve();
  async function start(): Promise<void> {
    const child = spawn(file, [...args, ...options], { cwd, stdio: 'ignore' });
    const ended = once(child, 'exit');
    kill = async () => {
      child.kill('SIGKILL');
      await ended;
    };
    await waitUntilReady('own MySQL', server.probe, 60_000, AbortSignal.timeout(60_000));
  }
  const stop = async (): Promise<void> => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { host: '127.0.0.1', port, rootPassword: secrets.root, kill: () => kill(), start, stop };
}
