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

const rememberedPorts = z.object({ offset: z.number().int() });

/** Reads the addresses from the environment, else takes those of a local stack; what is wrong is in one error. */
export function readAddresses(env: Environment, instance: string): Addresses {
  const values = { ...localStack(instance), ...env };
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

/** The addresses of a stack that the launcher has started in this checkout; none when it never did. */
function localStack(instance: string): Environment {
  const file = new URL(`../../.stack/${instance}/ports.json`, import.meta.url);
  if (!existsSync(file)) return {};
  return addressesAt(rememberedPorts.parse(JSON.parse(readFileSync(file, 'utf8'))).offset);
}

/** The launcher's fixed ports (`stack/instance/ports.ts`), moved by an offset. */
export function addressesAt(offset: number): Record<'CONNECT_URL' | 'KAFKA_BROKERS', string> {
  const brokers = [19092, 19093, 19094].map((port) => `127.0.0.1:${port + offset}`);
  return { CONNECT_URL: `http://127.0.0.1:${8083 + offset}`, KAFKA_BROKERS: brokers.join(',') };
}
