import type { AotCaches } from '../fetch/aot-caches.ts';
import type { Jars } from '../fetch/fetch-jars.ts';
import type { Java, Mysqld } from '../fetch/find-programs.ts';
import type { Cluster } from '../instance/cluster.ts';
import type { Instance } from '../instance/instance.ts';
import type { Ports } from '../instance/ports.ts';
import type { Secrets } from '../instance/secrets.ts';
import type { Command } from '../run/run-command.ts';

/** Everything that the servers are started from. */
export interface Programs {
  readonly java: Java;
  readonly mysqld: Mysqld;
  readonly jars: Jars;
  readonly aot: AotCaches;
}

/** What a server's file needs to know to configure it. */
export interface ServerContext {
  readonly instance: Instance;
  readonly cluster: Cluster;
  readonly ports: Ports;
  readonly hosts: Hosts;
  readonly secrets: Secrets;
  readonly programs: Programs;
}

/** Runs one program to its end, as a named part of the start. */
export type RunTask = (name: string, command: Command) => Promise<void>;

/** A server: how it is prepared, started, probed and stopped. */
export interface Server {
  readonly name: string;
  /** Where it answers, for people. */
  readonly address: () => string;
  /** Servers with a higher number are stopped first. */
  readonly layer: number;
  /**
   * Writes the configuration; makes the data folder when there is none. Runs once, before the first
   * start.
   */
  readonly prepare: (runTask: RunTask) => Promise<void> | void;
  /** The program to run; asked again at each restart. */
  readonly command: () => Promise<Command> | Command;
  /** Throws or says why while the server cannot do its work yet. */
  readonly probe: () => Promise<string | undefined>;
  readonly readyTimeoutMs: number;
  /** After this long a SIGTERM becomes a SIGKILL. */
  readonly stopTimeoutMs: number;
}

export const layers = {
  mysql: 0,
  zookeeper: 0,
  kafka: 1,
  registry: 2,
  connect: 3,
  service: 4,
  task: 5,
} as const;

/**
 * The host of each server: it listens on that address and no other, and its clients find it there.
 */
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
