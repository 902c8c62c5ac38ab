import { connect } from 'node:net';
import type { AotCaches } from '../fetch/aot-caches.ts';
import type { Jars } from '../fetch/fetch-jars.ts';
import type { Java, Mysqld } from '../fetch/find-programs.ts';
import type { Cluster, Instance } from '../instance/instance.ts';
import type { Secrets } from '../instance/secrets.ts';
import type { Ports } from '../instance/ports.ts';
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

/** Whether a server can do its work now. */
export type ProbeAnswer =
  { readonly kind: 'ready' } | { readonly kind: 'not-ready'; readonly reason: string };

/** A server: how it is prepared, started, probed and stopped. */
export interface Server {
  readonly name: string;
  /** Where it answers, for the status table. */
  readonly address: () => string;
  /** Servers with a higher number are stopped first. */
  readonly layer: number;
  /**
   * Writes the configuration; makes the data folder when there is none. Runs once, before the first
   * start.
   */
  readonly prepare: (runTask: RunTask) => Promise<void> | void;
  /** The program to run; called again at each restart. */
  readonly command: () => Promise<Command> | Command;
  /** Throws, or answers with a reason, while the server cannot do its work yet. */
  readonly probe: () => Promise<ProbeAnswer>;
  readonly readyTimeoutMs: number;
  /** After this long a SIGTERM becomes a SIGKILL. */
  readonly stopTimeoutMs: number;
}

/** The order of stopping: a higher layer is stopped first. */
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

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Ready when the address answers 200, else its answer is the reason. */
export async function probeHttp(url: string): Promise<ProbeAnswer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
  const body = await response.text();
  return response.status === 200
    ? { kind: 'ready' }
    : { kind: 'not-ready', reason: `${url} says ${response.status} ${body.slice(0, 200)}` };
}

// Size, Metadata, its version 4, correlation id, no client id, no topics, and none to be made.
const metadataRequest = Buffer.from(
  ['0000000f', '0003', '0004', '00000001', 'ffff', '00000000', '00'].join(''),
  'hex',
);

/**
 * How many brokers of the cluster this broker knows to be alive: the answer to a real Metadata
 * request.
 */
export async function countBrokers(address: Address): Promise<number> {
  const answer = await ask(address, 'the broker', metadataRequest, 16);
  if (answer.length < 16) throw new Error('the broker closed the connection');
  // Size, correlation id, throttle time, then the number of brokers.
  return answer.readInt32BE(12);
}

/** ZooKeeper's answer to one of its four-character commands. */
export async function askZookeeper(address: Address, word: 'srvr' | 'dump'): Promise<string> {
  return (await ask(address, 'ZooKeeper', word, Infinity)).toString();
}

/** What comes back, up to so many bytes or the end of the connection. */
function ask(
  address: Address,
  who: string,
  request: Buffer | string,
  enoughBytes: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    let answer = Buffer.alloc(0);
    socket.setTimeout(3000, () => socket.destroy(new Error(`${who} did not answer within 3 s`)));
    socket.once('error', reject);
    socket.once('close', () => resolve(answer));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= enoughBytes) socket.destroy();
    });
    socket.write(request);
  });
}
