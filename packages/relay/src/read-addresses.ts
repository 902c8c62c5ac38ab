import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';

export interface Addresses {
  readonly connectUrl: string;
  readonly brokers: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const wanted = {
  CONNECT_URL: 'an address such as http://127.0.0.1:8083',
  KAFKA_BROKERS: 'a list such as 127.0.0.1:19092,127.0.0.1:19093',
};

const environment = z.object({
  CONNECT_URL: z.url({ protocol: /^https?$/ }),
  KAFKA_BROKERS: z.string().regex(/^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/),
});

const supervised = z.object({ phase: z.string(), supervisor: z.object({ pid: z.int() }) });
const rememberedPorts = z.object({ offset: z.number().int() });

/** Reads the addresses from the environment, else takes those of a local stack that runs; what is wrong is in one error. */
export function readAddresses(env: Environment, instance: string): Addresses {
  const stack = localStack(instance);
  if (stack === undefined && env['CONNECT_URL'] === undefined) throw new Error(doesNotRun(instance));
  const values = { ...stack, ...env };
  const parsed = environment.safeParse(values);
  if (parsed.success) {
    return { connectUrl: parsed.data.CONNECT_URL, brokers: parsed.data.KAFKA_BROKERS.split(',') };
  }
  const wrong = new Set(parsed.error.issues.map((issue) => String(issue.path[0])));
  const lines = Object.entries(wanted)
    .filter(([name]) => wrong.has(name))
    .map(
      ([name, wants]) =>
        `${name} is ${values[name] === undefined ? 'not set' : `"${values[name]}"`}, it takes ${wants}`,
    );
  throw new Error(lines.join('\n'));
}

function doesNotRun(instance: string): string {
  const start = instance === 'main' ? 'npm start' : `npm start -- --instance ${instance}`;
  return (
    `The stack "${instance}" does not run, and the environment names no other servers: ` +
    `start it with "${start}", or set CONNECT_URL and KAFKA_BROKERS.`
  );
}

/** The addresses of a stack that the launcher of this checkout keeps running; undefined when it does not. */
function localStack(instance: string): Environment | undefined {
  const folder = new URL(`../../.stack/${instance}/`, import.meta.url);
  const [ports, state] = [new URL('ports.json', folder), new URL('run/state.json', folder)];
  if (!existsSync(ports) || !existsSync(state)) return undefined;
  if (!isAlive(supervised.parse(JSON.parse(readFileSync(state, 'utf8'))))) return undefined;
  return addressesAt(rememberedPorts.parse(JSON.parse(readFileSync(ports, 'utf8'))).offset);
}

function isAlive({ phase, supervisor }: z.output<typeof supervised>): boolean {
  return phase !== 'stopped' && phase !== 'failed' && existsSync(`/proc/${supervisor.pid}`);
}

/** The launcher's fixed ports (`stack/instance/ports.ts`), moved by an offset. */
export function addressesAt(offset: number): Record<'CONNECT_URL' | 'KAFKA_BROKERS', string> {
  const brokers = [19092, 19093, 19094].map((port) => `127.0.0.1:${port + offset}`);
  return { CONNECT_URL: `http://127.0.0.1:${8083 + offset}`, KAFKA_BROKERS: brokers.join(',') };
}
