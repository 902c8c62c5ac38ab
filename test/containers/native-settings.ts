import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '../../stack/instance/cluster.ts';
import { locateInstance, makeFolders } from '../../stack/instance/instance.ts';
import { portsAt } from '../../stack/instance/ports.ts';
import type { Secrets } from '../../stack/instance/secrets.ts';
import type { Command } from '../../stack/run/run-command.ts';
import { loopbackHosts } from '../../stack/servers/hosts.ts';
import type { Server, ServerContext } from '../../stack/servers/server.ts';

const secret = 'a-secret-of-no-server';

/** What the native launcher would give to its servers, without a program: nothing is started with it. */
export function nativeContext(cluster: Cluster = 'kraft'): { context: ServerContext; remove: () => void } {
  const parent = mkdtempSync(join(tmpdir(), 'native-settings-'));
  const instance = locateInstance('main', parent);
  makeFolders(instance);
  const secrets: Secrets = {
    root: secret,
    order_service: secret,
    catalog_service: secret,
    cdc: secret,
    migrations: secret,
    registry: secret,
    purge: secret,
    audit: secret,
  };
  const version = { major: 9, minor: 7, text: '9.7.4' };
  const context: ServerContext = {
    instance,
    cluster,
    ports: portsAt(0),
    hosts: loopbackHosts,
    secrets,
    programs: {
      java: { command: ['java'], version },
      mysqld: { command: ['mysqld'], version, settings: {}, isSystem: true },
      jars: { brokers: [], connect: [], plugins: '', registry: [] },
      aot: { mode: 'none' },
    },
  };
  return { context, remove: () => rmSync(parent, { recursive: true }) };
}

/** The settings that a server's own file writes for it: of Java's servers its properties, of MySQL its section. */
export async function writtenSettings(
  context: ServerContext,
  server: Server,
  file: string,
): Promise<Record<string, string>> {
  // MySQL's folder counts as filled: no program is run.
  mkdirSync(join(context.instance.dataDir, server.name), { recursive: true });
  await server.prepare(() => Promise.resolve());
  const lines = readFileSync(join(context.instance.configDir, file), 'utf8').split('\n');
  return Object.fromEntries(
    lines.flatMap((line) => {
      const at = line.indexOf('=');
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    }),
  );
}

/** `-Xmx` and the other options that decide over memory. */
export function memoryOptions({ args }: Command): { maxHeap: string; others: string[] } {
  const options = args.filter((arg) => /^-(XX|X|D)/.test(arg));
  return {
    maxHeap: options.find((option) => option.startsWith('-Xmx')) ?? '',
    others: options.filter((option) => /^-XX|^-Djava\.(awt|net)/.test(option)),
  };
}
