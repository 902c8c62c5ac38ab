/** The host of each server: it listens on that address and no other, and its clients find it there. */
export interface Hosts {
  readonly mysql: string;
  readonly brokers: readonly [string, string, string];
  readonly zookeeper: string;
  readonly registry: string;
  readonly connect: string;
  readonly orderService: string;
  readonly keeper: string;
  readonly catalogServices: readonly [string, string];
}

export const loopback = '127.0.0.1';

/** Everything on this machine, out of reach of any other. */
export const loopbackHosts: Hosts = {
  mysql: loopback,
  brokers: [loopback, loopback, loopback],
  zookeeper: loopback,
  registry: loopback,
  connect: loopback,
  orderService: loopback,
  keeper: loopback,
  catalogServices: [loopback, loopback],
};
