import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { locateInstance } from '../instance/instance.ts';
import { startCommand } from '../instance/stack-command.ts';
import { loopbackHost } from '../setup/mysql-users.ts';
import { nodeCommand } from '../servers/node-command.ts';
import { readStack } from '../stack.ts';

/** Runs steps of the setup again on a stack that runs; all of them without names. Exit code of the setup itself. */
export async function setup(name: string, steps: readonly string[]): Promise<void> {
  const stack = readStack(name);
  if (stack === undefined)
    throw new Error(`The stack "${name}" does not run: start it with "${startCommand(locateInstance(name))}".`);
  const { ports, secrets } = stack;
  const { file, args, env, cwd } = nodeCommand('stack/setup/main.ts', {
    MYSQL_PORT: String(ports.mysql),
    MYSQL_ROOT_PASSWORD: secrets.root,
    ORDER_SERVICE_PASSWORD: secrets.order_service,
    CATALOG_SERVICE_PASSWORD: secrets.catalog_service,
    CDC_PASSWORD: secrets.cdc,
    MIGRATIONS_PASSWORD: secrets.migrations,
    REGISTRY_PASSWORD: secrets.registry,
    PURGE_PASSWORD: secrets.purge,
    AUDIT_PASSWORD: secrets.audit,
    KAFKA_BROKERS: ports.brokers.map((port) => `${loopbackHost}:${port}`).join(','),
    REGISTRY_URL: `http://${loopbackHost}:${ports.registry}/apis/ccompat/v7`,
    CONNECT_URL: `http://${loopbackHost}:${ports.connect}`,
  });
  const child = spawn(file, [...args, ...steps], { stdio: 'inherit', env: { ...process.env, ...env }, cwd });
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  process.exitCode = exitCode ?? 1;
}
