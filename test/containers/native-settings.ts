import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mysqlUsers } from '@board/provision';
import type { Cluster } from '../../stack/instance/instance.ts';
import { locateInstance, makeFolders } from '../../stack/instance/instance.ts';
import { portsAt } from '../../stack/instance/ports.ts';
import type { Secrets } from '../../stack/instance/secrets.ts';
import { loopbackHosts, type ServerContext } from '../../stack/servers/server.ts';

const secret = 'a-secret-of-no-server';

/**
 * What the native launcher would give to its servers, without a program: nothing is started with
 * it.
 */
export function nativeContext(cluster: Cluster = 'kraft'): {
  context: ServerContext;
  remove: () => void;
} {
  const parent = mkdtempSync(join(tmpdir(), 'native-settings-'));
  const instance = locateInstance('main', parent);
  makeFolders(instance);
  const secrets = Object.fromEntries(
    ['root', ...mysqlUsers].map((name) => [name, secret]),
  ) as Secrets;
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
      aot: { kind: 'none' },
    },
  };
  return { context, remove: () => rmSync(parent, { recursive: true }) };
}
