import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { locateInstance, makeFolders, type Cluster } from '../instance/instance.ts';
import { ensureSecrets } from '../instance/secrets.ts';
import { findFreePorts } from '../instance/ports.ts';
import { listBareSteps } from '../run/list-steps.ts';
import { runCommand } from '../run/run-command.ts';
import { runServers } from '../run/run-servers.ts';
import { connectServer } from '../servers/connect.ts';
import { kafkaServer } from '../servers/kafka.ts';
import { registryServer } from '../servers/registry.ts';
import { loopbackHosts, type Programs, type ServerContext } from '../servers/server.ts';
import { aotKinds, canUseAot, findAotCaches, nameAotCaches } from './aot-caches.ts';
import { ensureCached, type Say } from './cache.ts';
import { fetchJars } from './fetch-jars.ts';
import { ensureJava, ensureMysqld } from './find-programs.ts';

/**
 * Finds or fetches everything that the servers are started from; the downloads run side by side.
 * With `STACK_AOT=0` missing AOT caches are not made: a single start is quicker without.
 */
export async function ensurePrograms(
  cluster: Cluster,
  say: Say,
  signal: AbortSignal,
): Promise<Programs> {
  const [java, mysqld, jars] = await Promise.all([
    ensureJava(say, signal),
    ensureMysqld(say, signal),
    fetchJars(cluster, say, signal),
  ]);
  const programs = { java, mysqld, jars, aot: findAotCaches(java, jars) };
  if (programs.aot.kind === 'use' || !canUseAot(java) || process.env['STACK_AOT'] === '0')
    return programs;
  try {
    return {
      ...programs,
      aot: { kind: 'use', folder: await trainAotCaches(cluster, programs, say, signal) },
    };
  } catch (error) {
    signal.throwIfAborted();
    // The caches only save time: without them everything works, slower.
    const reason = error instanceof Error ? error.message : String(error);
    say(`AOT caches could not be made, going on without: ${reason}`);
    return programs;
  }
}

/**
 * The folder of Java's ahead-of-time caches: starts the servers once on a throw-away instance that
 * records what they load, stops them, and makes one cache for each kind.
 */
function trainAotCaches(
  cluster: Cluster,
  programs: Programs,
  say: Say,
  signal: AbortSignal,
): Promise<string> {
  return ensureCached(nameAotCaches(programs.java, programs.jars), say, async (target) => {
    say(
      'Java AOT caches: starting the servers once to record what they load (about a minute, once)',
    );
    const training = join(target, 'training');
    const instance = locateInstance('training', training);
    makeFolders(instance);
    const recording: ServerContext = {
      instance,
      cluster,
      ports: await findFreePorts(),
      hosts: loopbackHosts,
      secrets: ensureSecrets(instance),
      programs: { ...programs, aot: { kind: 'record', folder: target } },
    };
    const servers = await runServers(
      recording,
      (tools) => listBareSteps(recording, tools),
      { say: (line) => say(`AOT: ${line}`), onChange: () => undefined },
      signal,
    );
    await servers.stop();
    const creating: ServerContext = {
      ...recording,
      programs: { ...programs, aot: { kind: 'create', folder: target } },
    };
    const makers = {
      broker: kafkaServer(creating, 1),
      connect: connectServer(creating),
      registry: registryServer(creating),
    };
    for (const kind of aotKinds) {
      say(`AOT: making the cache of ${kind}`);
      await runCommand(await makers[kind].command(), {
        logFile: join(target, `${kind}.log`),
        signal,
      });
      rmSync(join(target, `${kind}.aotconf`), { force: true });
    }
    rmSync(training, { recursive: true });
    return Object.fromEntries(
      aotKinds.map((kind) => [kind, statSync(join(target, `${kind}.aot`)).size]),
    );
  });
}
