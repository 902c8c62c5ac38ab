import type { Secrets } from '@board/stack';

/** Where the servers of the test stack are; every tier above the pure one gets it by `inject('stack')`. */
export interface StackAddresses {
  readonly mysql: { readonly host: string; readonly port: number; readonly rootPassword: string };
  readonly passwords: Secrets;
  readonly brokers: readonly string[];
  readonly connectUrl: string;
  readonly registryUrl: string;
  readonly orderServiceUrl: string;
  /** Of both catalog-service instances. */
  readonly catalogUrls: readonly string[];
}

declare module 'vitest' {
  interface ProvidedContext {
    stack: StackAddresses;
  }
}
