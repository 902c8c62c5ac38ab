import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../instance/cluster.ts';
import { locateInstance, makeFolders } from '../instance/instance.ts';
import { findFreePorts } from '../instance/ports.ts';
import { ensureSecrets } from '../instance/secrets.ts';
import { listBareSteps } from '../run/list-steps.ts';
import { runCommand } from '../run/run-command.ts';
import { runServers } from '../run/run-servers.ts';
import { connectServer } from '../servers/connect.ts';
import { kafkaServer } from '../servers/kafka.ts';
import { registryServer } from '../servers/registry.ts';
import { loopbackHosts, type ServerContext } from '../servers/server.ts';
import { type AotCaches, aotKinds, nameAotCaches } from './aot-caches.ts';
import { ensureCached, type Say } from './cache.ts';
import type { Programs } from './programs.ts';

/**
 * Java's ahead-of-time caches: starts the servers once on a throw-away instance that records what they load,
 * stops them, and makes one cache for each kind.
 */
export async function trainAotCaches(
  cluster: Cluster,
  programs: Omit<Programs, 'aot'>,
  say: Say,
  signal: AbortSignal,
): Promise<AotCaches> {
  const name = nameAotCaches(programs.java, programs.jars);
  const folder = await ensureCached(name, say, async (target) => {
    say('Java AOT caches: starting the servers once to record what they load (about a minute, once)');
    const training = join(target, 'training');
    mkdirSync(training);
    const instance = locateInstance('training', training);
    makeFolders(instance);
    const context = (aot: AotCaches): ServerContext => ({
      instance,
      cluster,
      ports,
      hosts: loopbackHosts,
      secrets: ensureSecrets(instance),
      programs: { ...programs, aot },
    });
    const ports = await findFreePorts();
    const servers = await runServers(
      context({ mode: 'record', folder: target }),
      (tools) => listBareSteps(context({ mode: 'record', folder: target }), tools),
      { say: (line) => say(`AOT: ${line}`), onChange: () => undefined },
      signal,
    );
    await servers.stop();
    await createCaches(context({ mode: 'create', folder: target }), target, say, signal);
    rmSync(training, { recursive: true });
    return Object.fromEntries(aotKinds.map((kind) => [kind, statSync(join(target, `${kind}.aot`)).size]));
  });
  return { mode: 'use', folder };
}

async function createCaches(context: ServerContext, folder: string, say: Say, signal: AbortSignal): Promise<void> {
  const servers = {
    broker: kafkaServer(context, 1),
    connect: connectServer(context),
    registry: registryServer(context),
  };
  for (const kind of aotKinds) {
    say(`AOT: making the cache of ${kind}`);
    await runCommand(await servers[kind].command(), { logFile: join(folder, `${kind}.log`), signal });
    rmSync(join(folder, `${kind}.aotconf`), { force: true });
  }
}
