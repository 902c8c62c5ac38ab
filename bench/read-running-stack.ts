import { readStack } from '@board/stack';
import type { StackAddresses } from '@board/test';

/** Addresses of a native stack that runs now; throws with the command that starts one. */
export function readRunningStack(instance: string): StackAddresses {
  const stack = readStack(instance);
  if (!stack) throw new Error(`The stack "${instance}" does not run: npm run stack -- --instance ${instance} up`);
  const { ports, secrets, state } = stack;
  return {
    mysql: { host: '127.0.0.1', port: ports.mysql, rootPassword: secrets.root },
    passwords: secrets,
    brokers: ports.brokers.map((port) => `127.0.0.1:${port}`),
    connectUrl: `http://127.0.0.1:${ports.connect}`,
    registryUrl: `http://127.0.0.1:${ports.registry}/apis/ccompat/v7`,
    orderServiceUrl: `http://127.0.0.1:${ports.orderService}`,
    catalogUrls: state.processes
      .filter(({ name }) => name.startsWith('catalog-service-'))
      .map(({ address }) => address),
  };
}
