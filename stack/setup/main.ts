import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { registerConnector } from '@board/relay';
import { printable } from '@board/service';
import { grantTables } from './mysql-grants.ts';
import { createUsers } from './mysql-users.ts';
import { retrySetup } from '../run/retry-setup.ts';
import { readSetupConfig, type SetupConfig } from './read-setup-config.ts';
import { registerSchemas } from './schemas.ts';
import { createTopics } from './topics.ts';

/** In order: each step needs the ones before it; the registry and Connect start with users that the first one creates. */
const steps: Readonly<Record<string, (config: SetupConfig) => Promise<readonly string[]>>> = {
  users: async ({ admin, passwords, userHost }) => {
    await createUsers(admin, passwords, userHost);
    return [];
  },
  migrations: async (config) => {
    await migrate(config, 'order-service');
    await migrate(config, 'catalog-service');
    return [];
  },
  grants: async ({ admin, userHost }) => {
    await grantTables(admin, userHost);
    return [];
  },
  topics: ({ brokers }) => createTopics(brokers),
  schemas: ({ registryUrl }) => registerSchemas(registryUrl),
  connector: async ({ connectUrl, brokers }) => {
    await registerConnector({ connectUrl, brokers, onProgress: print });
    return [];
  },
};

const never = new AbortController().signal;
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(steps);
try {
  const unknown = wanted.filter((name) => !(name in steps));
  if (unknown.length > 0) {
    throw new Error(`unknown step ${unknown.join(', ')}; the steps are ${Object.keys(steps).join(', ')}`);
  }
  const config = readSetupConfig(process.env);
  for (const [name, run] of Object.entries(steps)) {
    if (!wanted.includes(name)) continue;
    for (const line of await retrySetup(() => run(config), print, never)) print(line);
    print(`${name} done`);
  }
} catch (error) {
  process.stderr.write(`${printable(error instanceof Error ? error.message : String(error))}\n`);
  process.exitCode = 1;
}

async function migrate(config: SetupConfig, service: 'order-service' | 'catalog-service'): Promise<void> {
  const file = resolve(import.meta.dirname, `../../services/${service}/src/migrate.ts`);
  const child = spawn(process.execPath, [file], {
    stdio: 'inherit',
    env: {
      ...process.env,
      INSTANCE: `${service}-migrations`,
      DATABASE_HOST: config.admin.host,
      DATABASE_PORT: String(config.admin.port),
      DATABASE_NAME: service.replace('-', '_'),
      DATABASE_USER: 'migrations',
      DATABASE_PASSWORD: config.passwords.migrations,
    },
  });
  const [exitCode] = await once(child, 'exit');
  if (exitCode !== 0) throw new Error(`the migrations of ${service} failed`);
}

function print(line: string): void {
  process.stdout.write(`${printable(line)}\n`);
}
