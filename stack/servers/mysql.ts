import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openConnection } from '@board/mysql/open-session';
import { writeFile } from '../instance/instance.ts';
import type { Command } from '../run/run-command.ts';
import { layers, loopback, type RunTask, type Server, type ServerContext } from './server.ts';
import { optionFileLines, readSettings } from './settings.ts';

/** What the server's file needs to know of its surroundings. */
interface MysqlContext extends Pick<ServerContext, 'instance' | 'hosts' | 'ports' | 'secrets'> {
  readonly programs: Pick<ServerContext['programs'], 'mysqld'>;
}

/** MySQL: the boards, the outbox, the marks, the catalog and the registry's schemas. */
export function mysqlServer(context: MysqlContext): Server {
  const { instance, hosts, ports, secrets, programs } = context;
  const dataDir = resolve(instance.dataDir, 'mysql');
  const configFile = resolve(instance.configDir, 'my.cnf');

  const mysqld = (...args: string[]): Command => {
    const [file = '', ...first] = programs.mysqld.command;
    return {
      file,
      args: [...first, `--defaults-file=${configFile}`, ...args],
      cwd: instance.runDir,
    };
  };

  return {
    name: 'mysql',
    layer: layers.mysql,
    address: () => `${hosts.mysql}:${ports.mysql}`,
    prepare: async (runTask) => {
      writeFile(configFile, settings(context, dataDir));
      if (!existsSync(dataDir)) await initialise(context, dataDir, mysqld, runTask);
    },
    command: () => mysqld(),
    probe: async () => {
      const connection = await openConnection({
        host: hosts.mysql,
        port: ports.mysql,
        user: 'root',
        password: secrets.root,
        connectTimeout: 3000,
      });
      await connection.query('SELECT 1');
      await connection.end();
      return { kind: 'ready' };
    },
    readyTimeoutMs: 120_000,
    stopTimeoutMs: 30_000,
  };
}

/** The settings of `infra/mysql`, then this server's folders and addresses. */
function settings(context: MysqlContext, datadir: string): string {
  return (
    readSettings('mysql/my.cnf') +
    optionFileLines({
      datadir,
      ...context.programs.mysqld.settings,
      ...(process.getuid?.() === 0 ? { user: 'root' } : {}),
      // Root may come from the server's own host only, by its loopback.
      bind_address: [...new Set([context.hosts.mysql, loopback])].join(','),
      port: context.ports.mysql,
      // Relative to the data folder: a socket's full path may be 107 bytes long at most.
      socket: 'mysql.sock',
      pid_file: 'mysqld.pid',
    })
  );
}

/**
 * Fills a new data folder; root gets its password in the same step, so that no moment is without
 * one.
 */
async function initialise(
  context: MysqlContext,
  dataDir: string,
  mysqld: (...args: string[]) => Command,
  runTask: RunTask,
): Promise<void> {
  const making = `${dataDir}.making`;
  const initFile = join(context.instance.configDir, 'mysql-init.sql');
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { mode: 0o700 });
  // The password is 32 characters of base64url: nothing in it needs escaping.
  writeFile(initFile, `ALTER USER 'root'@'localhost' IDENTIFIED BY '${context.secrets.root}';\n`);
  try {
    await runTask(
      'mysql-initialise',
      mysqld(`--datadir=${making}`, '--initialize-insecure', `--init-file=${initFile}`),
    );
  } catch (error) {
    const hint = context.programs.mysqld.isSystem
      ? ' (STACK_HERMETIC=1 uses a fetched mysqld instead of the system one)'
      : '';
    throw new Error(`MySQL could not make its data folder${hint}.`, { cause: error });
  } finally {
    rmSync(initFile, { force: true });
  }
  // Only a complete folder gets the final name.
  renameSync(making, dataDir);
}
