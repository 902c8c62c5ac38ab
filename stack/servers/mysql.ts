import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openConnection } from '@board/database-kit/open-session';
import { writeFile } from '../instance/write-file.ts';
import type { Command } from '../run/run-command.ts';
import { loopback } from './hosts.ts';
import { optionFileSection } from './properties.ts';
import { layers, type RunTask, type Server, type ServerContext } from './server.ts';

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
    return { file, args: [...first, `--defaults-file=${configFile}`, ...args], cwd: instance.runDir };
  };

  return {
    name: 'mysql',
    layer: layers.mysql,
    address: () => `${hosts.mysql}:${ports.mysql}`,
    prepare: async (runTask) => {
      writeFile(configFile, optionFileSection('mysqld', settings(context, dataDir)));
      if (!existsSync(dataDir)) await initialise(context, dataDir, mysqld, runTask);
    },
    command: () => Promise.resolve(mysqld()),
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
      return undefined;
    },
    readyTimeoutMs: 120_000,
    stopTimeoutMs: 30_000,
  };
}

function settings(context: MysqlContext, datadir: string): Record<string, string | number> {
  return {
    datadir,
    ...context.programs.mysqld.settings,
    ...(process.getuid?.() === 0 ? { user: 'root' } : {}),
    // Root may come from the server's own host only, by its loopback.
    bind_address: [...new Set([context.hosts.mysql, loopback])].join(','),
    port: context.ports.mysql,
    mysqlx: 'OFF',
    // Relative to the data folder: a socket's full path may be 107 bytes long at most.
    socket: 'mysql.sock',
    pid_file: 'mysqld.pid',
    secure_file_priv: 'NULL',

    // What Debezium reads, and the order in which it may resume.
    server_id: 1,
    log_bin: 'binlog',
    binlog_row_image: 'FULL',
    binlog_expire_logs_seconds: 7 * 24 * 3600,
    gtid_mode: 'ON',
    enforce_gtid_consistency: 'ON',
    // A commit that was answered survives a crash, in the tables and in the binlog.
    sync_binlog: 1,
    innodb_flush_log_at_trx_commit: 1,

    transaction_isolation: 'READ-COMMITTED',
    default_time_zone: '+00:00',
    character_set_server: 'utf8mb4',
    max_allowed_packet: '16M',

    // Memory: the performance schema alone would take some 200 MB; tables are few and connections fewer.
    performance_schema: 'OFF',
    innodb_buffer_pool_size: '128M',
    innodb_redo_log_capacity: '256M',
    table_open_cache: 400,
    table_definition_cache: 400,
    max_connections: 150,
  };
}

/** Fills a new data folder; root gets its password in the same step, so that no moment is without one. */
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
  // The password is 32 letters of base64url: nothing in it needs escaping.
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
