import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateInstance, makeFolders } from '../../stack/instance/instance.ts';
import { portsAt } from '../../stack/instance/ports.ts';
import { ensureSecrets } from '../../stack/instance/secrets.ts';
import { brokerSettings } from '../../stack/servers/broker-settings.ts';
import { connectServer } from '../../stack/servers/connect.ts';
import { registryServer } from '../../stack/servers/registry.ts';
import type { Server, ServerContext } from '../../stack/servers/server.ts';

/** What the native stack gives a broker, Connect and the registry: settings of the first two, environment of the last. */
export async function readServerSettings(): Promise<Record<'broker' | 'connect' | 'registry', Record<string, string>>> {
  const folder = mkdtempSync(join(tmpdir(), 'server-settings-'));
  try {
    const context = prepareContext(folder);
    return {
      broker: toTexts(brokerSettings(context, 1, folder)),
      connect: await settingsOf(context, 'connect', connectServer(context)),
      registry: { ...(await registryServer(context).command()).env },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Nothing is started: no program is needed, only names of files. */
function prepareContext(folder: string): ServerContext {
  const instance = locateInstance('settings', folder);
  makeFolders(instance);
  return {
    instance,
    cluster: 'kraft',
    ports: portsAt(0),
    secrets: ensureSecrets(instance),
    programs: {
      java: { command: ['java'], version: { major: 25, minor: 0, text: '' } },
      jars: { brokers: [], connect: [], plugins: 'plugins', registry: [] },
      aot: { mode: 'none' },
    },
  } as unknown as ServerContext;
}

function toTexts(settings: Readonly<Record<string, string | number | boolean>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, String(value)]));
}

async function settingsOf(context: ServerContext, name: string, server: Server): Promise<Record<string, string>> {
  await server.prepare(() => Promise.resolve());
  const lines = readFileSync(join(context.instance.configDir, `${name}.properties`), 'utf8')
    .trimEnd()
    .split('\n');
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}
