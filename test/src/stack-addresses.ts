import type { Instance, Ports, Secrets, StackState } from '@board/stack';

/**
 * Where the servers of the test stack are; every tier above the pure one gets it by
 * `inject('stack')`.
 */
export interface StackAddresses {
  /** What the operator's commands call this stack. */
  readonly instance: string;
  readonly mysql: { readonly host: string; readonly port: number; readonly rootPassword: string };
  readonly passwords: Secrets;
  readonly brokers: readonly string[];
  readonly connectUrl: string;
  readonly registryUrl: string;
  readonly orderServiceUrl: string;
  readonly keeperUrl: string;
  /** Of both catalog-service instances. */
  readonly catalogUrls: readonly string[];
}

/** The addresses of a native stack that runs. */
export function addressesOf({
  instance,
  ports,
  secrets,
  state,
}: {
  instance: Pick<Instance, 'name'>;
  ports: Ports;
  secrets: Secrets;
  state: StackState;
}): StackAddresses {
  return {
    instance: instance.name,
    mysql: { host: '127.0.0.1', port: ports.mysql, rootPassword: secrets.root },
    passwords: secrets,
    brokers: ports.brokers.map((port) => `127.0.0.1:${port}`),
    connectUrl: `http://127.0.0.1:${ports.connect}`,
    registryUrl: `http://127.0.0.1:${ports.registry}/apis/ccompat/v7`,
    orderServiceUrl: `http://127.0.0.1:${ports.orderService}`,
    keeperUrl: `http://127.0.0.1:${ports.keeper}`,
    catalogUrls: state.processes
      .filter(({ name }) => name.startsWith('catalog-service-'))
      .map(({ address }) => address),
  };
}

declare module 'vitest' {
  interface ProvidedContext {
    stack: StackAddresses;
  }
}
