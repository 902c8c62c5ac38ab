import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openConnection } from '@board/mysql';
import { ensurePrograms } from '../../fetch/ensure-programs.ts';
import { locateInstance, makeFolders } from '../../instance/instance.ts';
import { ensureSecrets } from '../../instance/secrets.ts';
import { pickFreePort, portsAt } from '../../instance/ports.ts';
import { waitUntilReady } from '../../run/supervise.ts';
import { registryServer, registryUrl } from '../../servers/registry.ts';
import { loopbackHosts } from '../../servers/server.ts';

export interface OwnRegistry {
  /** Of its Confluent API. */
  readonly url: string;
  /** The registry with its database lost and made again: every schema is gone, ids begin at 1. */
  loseDatabase(): Promise<void>;
  stop(): Promise<void>;
}

interface MysqlRoot {
  readonly host: string;
  readonly port: number;
  readonly rootPassword: string;
}

/**
 * The stack's registry once more, on an empty database of its own: for what would disturb the
 * shared one.
 */
export async function startOwnRegistry(mysql: MysqlRoot): Promise<OwnRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'own-registry-'));
  const instance = locateInstance('own', folder);
  makeFolders(instance);
  const database = `registry_${randomBytes(5).toString('hex')}`;
  const root = await openConnection({
    host: mysql.host,
    port: mysql.port,
    user: 'root',
    password: mysql.rootPassword,
    database: 'mysql',
  });
  await root.query('CREATE DATABASE ?? CHARACTER SET utf8mb4', [database]);
  // A user of its own: one that sees another registry's tables makes the registry believe that its
  // own are there.
  const password = randomBytes(16).toString('hex');
  await root.query("CREATE USER ?@'localhost' IDENTIFIED BY ?", [database, password]);
  await root.query("GRANT ALL ON ??.* TO ?@'localhost'", [database, database]);
  const context = {
    instance,
    cluster: 'kraft',
    hosts: loopbackHosts,
    secrets: ensureSecrets(instance),
    programs: await ensurePrograms('kraft', () => undefined, new AbortController().signal),
    ports: {
      ...portsAt(0),
      mysql: mysql.port,
      registry: await pickFreePort(),
      registryManagement: await pickFreePort(),
    },
  } as const;
  const server = registryServer(context);
  const { file, args, cwd, env } = await server.command();
  const own = {
    ...process.env,
    ...env,
    APICURIO_DATASOURCE_URL: `jdbc:mysql://${mysql.host}:${mysql.port}/${database}?sslMode=DISABLED&allowPublicKeyRetrieval=true`,
    APICURIO_DATASOURCE_USERNAME: database,
    APICURIO_DATASOURCE_PASSWORD: password,
    // Tests of the shared stack need their connections.
    APICURIO_DATASOURCE_JDBC_MAX_SIZE: '3',
  };

  async function start(): Promise<() => Promise<void>> {
    const child = spawn(file, [...args], { cwd, stdio: 'ignore', env: own });
    const ended = once(child, 'exit');
    const kill = async (): Promise<void> => {
      child.kill('SIGKILL');
      await ended;
    };
    try {
      await waitUntilReady('own registry', server.probe, 90_000, AbortSignal.timeout(90_000));
    } catch (error) {
      await kill();
      throw error;
    }
    return kill;
  }
  async function cleanUp(): Promise<void> {
    await root.query('DROP DATABASE ??', [database]);
    await root.query("DROP USER ?@'localhost'", [database]);
    await root.end();
    rmSync(folder, { recursive: true, force: true });
  }

  let kill = await start().catch(async (error: unknown) => {
    await cleanUp();
    throw error;
  });
  return {
    url: registryUrl(context),
    async loseDatabase() {
      // Started anew: a running one answers from its memory for ids whose rows are gone.
      await kill();
      await root.query('DROP DATABASE ??', [database]);
      await root.query('CREATE DATABASE ?? CHARACTER SET utf8mb4', [database]);
      kill = await start();
    },
    async stop() {
      await kill();
      await cleanUp();
    },
  };
}
