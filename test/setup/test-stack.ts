import { clusters, readStack, startStack, type RunningStack, type StackState } from '@board/stack';
import type { TestProject } from 'vitest/node';
import { lastLines } from '../../stack/run/run-command.ts';
import { addressesOf, type StackAddresses } from '../src/stack-addresses.ts';

// CLUSTER=zookeeper runs the same tests against the older cluster.
const cluster = clusters.find((flavour) => flavour === (process.env['CLUSTER'] ?? 'kraft'));
const instance = cluster === 'zookeeper' ? 'test-zookeeper' : 'test';

interface Shared {
  stack?: Promise<{ addresses: StackAddresses; stop: () => Promise<void> }>;
  users: number;
}

// Each tier loads this file by itself, but all run in one process and share one stack.
const shared: Shared = ((globalThis as { boardTestStack?: Shared }).boardTestStack ??= {
  users: 0,
});

/**
 * Starts the test stack from nothing, on ports of its own, or uses the one that `npm run stack --
 * --instance test up` left running.
 */
export default async function useTestStack(project: TestProject): Promise<() => Promise<void>> {
  shared.users += 1;
  shared.stack ??= attach() ?? start();
  const { addresses, stop } = await shared.stack;
  project.provide('stack', addresses);
  return async () => {
    shared.users -= 1;
    if (shared.users === 0) await stop();
  };
}

function attach(): Shared['stack'] {
  if (cluster === undefined)
    throw new Error(`CLUSTER is "${process.env['CLUSTER']}": use ${clusters.join(' or ')}.`);
  const running = readStack(instance);
  if (!running) return undefined;
  if (running.cluster !== cluster)
    throw new Error(`The stack "${instance}" runs without ${cluster}: take it down.`);
  return Promise.resolve({
    addresses: addressesOf(running),
    stop: () => Promise.resolve(),
  });
}

async function start() {
  const stack: RunningStack = await startStack({
    instance,
    cluster,
    portOffset: 'auto',
    fresh: true,
    // An audit is clean only when every consumer has processed what there is.
    withConsumers: ['comments'],
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  return {
    addresses: addressesOf({ ...stack, state: stack.state() }),
    async stop() {
      logRestarts(stack.state());
      await stack.stop();
    },
  };
}

/** A server that died and was started again explains more than the tests that noticed it. */
function logRestarts({ processes }: StackState): void {
  for (const { name, restarts, logFile } of processes.filter((one) => one.restarts > 0))
    process.stderr.write(
      `${name} died ${restarts} times; the end of its log:\n${lastLines(logFile, 60, 400)}\n`,
    );
}
