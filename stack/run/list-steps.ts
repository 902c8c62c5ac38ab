import {
  loopbackHost,
  provisionSteps,
  runStep,
  type ProvisionConfig,
  type ProvisionTools,
} from '@board/provision';
import { nodeCommand } from '../servers/command-lines.ts';
import { connectServer, connectUrl } from '../servers/connect.ts';
import { brokerAddresses, brokerIds, kafkaServer, zookeeperServer } from '../servers/kafka.ts';
import { mysqlServer } from '../servers/mysql.ts';
import {
  catalogService,
  consumerService,
  keeper,
  moreConsumers,
  orderService,
} from '../servers/our-services.ts';
import { registryServer, registryUrl } from '../servers/registry.ts';
import type { RunTask, Server, ServerContext } from '../servers/server.ts';

/** What is started: `servers` is everything but the service processes. */
export type Only = 'servers' | 'all';

/** Which part of the pipeline is started. */
export interface Selection {
  readonly only?: Only | undefined;
  /** Names of consumers whose services are started beside the usual ones. */
  readonly withConsumers?: readonly string[] | undefined;
}

/** What the steps of a start need from their runner. */
export interface StepTools {
  readonly startServer: (server: Server, signal: AbortSignal) => Promise<void>;
  readonly runTask: (signal: AbortSignal) => RunTask;
  readonly say: (line: string) => void;
}

/** The whole start: what runs, and what must be done before it. */
export function listSteps(
  context: ServerContext,
  { only = 'all', withConsumers = [] }: Selection,
  tools: StepTools,
): Step[] {
  const server = (made: Server, ...needs: string[]): Step => ({
    name: made.name,
    needs,
    run: (signal) => tools.startServer(made, signal),
  });
  const kafka = brokerIds.map((id) => kafkaServer(context, id));
  const kafkaNames = kafka.map(({ name }) => name);
  const zookeeper = context.cluster === 'zookeeper' ? [zookeeperServer(context)] : [];

  const provisioning = provisionSteps.map((step): Step => ({
    name: step.name,
    needs: step.needs.flatMap((need) => (need === 'kafka' ? kafkaNames : [need])),
    run: (signal) => {
      const runScript: ProvisionTools['runScript'] = (name, file, env) =>
        tools.runTask(signal)(name, nodeCommand(file, env));
      return runStep(step, provisionConfig(context), { say: tools.say, runScript }, signal);
    },
  }));

  const servers = [
    server(mysqlServer(context)),
    ...zookeeper.map((one) => server(one)),
    ...kafka.map((broker) => server(broker, ...zookeeper.map(({ name }) => name))),
    // Beside the brokers, not after them: it waits for them by itself, and its own start takes as
    // long.
    server(connectServer(context)),
    // It logs in with a user that provisioning makes.
    server(registryServer(context), 'users'),
    ...provisioning,
  ];
  if (only === 'servers') return servers;
  return [
    ...servers,
    ...[
      orderService(context),
      catalogService(context, 1),
      catalogService(context, 2),
      ...moreConsumers
        .filter(({ name }) => withConsumers.includes(name))
        .map((one) => consumerService(context, one)),
    ].map((service) => server(service, 'grants', 'schemas', 'topics')),
    // Before the connector is there it would only raise alarms.
    server(keeper(context), 'connector'),
  ];
}

/** Servers alone, without what belongs to the pipeline; the registry cannot do without its user. */
export function listBareSteps(context: ServerContext, tools: StepTools): Step[] {
  const left = new Set(provisionSteps.map(({ name }) => name).filter((name) => name !== 'users'));
  return listSteps(context, { only: 'servers' }, tools).filter(({ name }) => !left.has(name));
}

/** Where a stack's servers are and who their users are, as provisioning needs it. */
export function provisionConfig(
  context: Pick<ServerContext, 'hosts' | 'ports' | 'secrets'>,
): ProvisionConfig {
  const { hosts, ports, secrets } = context;
  const { root, ...passwords } = secrets;
  return {
    admin: { host: hosts.mysql, port: ports.mysql, user: 'root', password: root },
    passwords,
    userHost: loopbackHost,
    brokers: brokerAddresses(context),
    registryUrl: registryUrl(context),
    connectUrl: connectUrl(context),
  };
}

/** A piece of the start that waits for others by name. */
export interface Step {
  readonly name: string;
  readonly needs: readonly string[];
  readonly run: (signal: AbortSignal) => Promise<void>;
}

/**
 * Throws when a step needs one that does not exist, or when some wait for each other in a circle.
 */
export function checkGraph(steps: readonly Step[]): void {
  const names = new Set(steps.map(({ name }) => name));
  if (names.size !== steps.length) throw new Error('Two steps have one name.');
  for (const { name, needs } of steps) {
    const unknown = needs.find((need) => !names.has(need));
    if (unknown !== undefined) throw new Error(`${name} needs ${unknown}, which does not exist.`);
  }
  const done = new Set<string>();
  for (let left = steps; left.length > 0;) {
    const ready = left.filter(({ needs }) => needs.every((need) => done.has(need)));
    if (ready.length === 0) {
      throw new Error(`These wait for each other: ${left.map(({ name }) => name).join(', ')}.`);
    }
    for (const { name } of ready) done.add(name);
    left = left.filter(({ name }) => !done.has(name));
  }
}

/**
 * Runs every step as soon as all that it needs are done. The first failure (or the signal) aborts
 * the others; the promise settles only when none runs any more.
 */
export async function runGraph(steps: readonly Step[], signal: AbortSignal): Promise<void> {
  checkGraph(steps);
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  const running = new Map<string, Promise<void>>();
  const byName = new Map(steps.map((step) => [step.name, step]));

  const start = (name: string): Promise<void> => {
    const known = running.get(name);
    if (known !== undefined) return known;
    const step = byName.get(name);
    const promise = Promise.all((step?.needs ?? []).map(start)).then(async () => {
      stop.throwIfAborted();
      await step?.run(stop);
    });
    running.set(name, promise);
    promise.catch((error: unknown) => failure.abort(error));
    return promise;
  };

  const outcomes = await Promise.allSettled(steps.map(({ name }) => start(name)));
  // The first failure, not those that it caused; for an abort from outside, its reason.
  signal.throwIfAborted();
  if (outcomes.some(({ status }) => status === 'rejected')) throw failure.signal.reason;
}
