import { readFileSync } from 'node:fs';
import { z } from 'zod';

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Zod fields of the variables that services share; a description reads well after "must be". */
export const configFields = {
  text: () => z.string().describe('text'),

  secret: () => z.string().describe('text (it is a secret)'),

  host: () =>
    z
      .string()
      .regex(/^[A-Za-z0-9.:_-]{1,253}$/)
      .describe('a host name or an IP address'),

  /** 0 asks the system for any free port. */
  port: () =>
    z
      .string()
      .regex(/^\d{1,5}$/)
      .transform(Number)
      .pipe(z.number().max(65_535))
      .describe('a port number from 0 to 65535'),

  milliseconds: () =>
    z
      .string()
      .regex(/^\d{1,7}$/)
      .transform(Number)
      .pipe(z.number().min(1))
      .describe('an integer from 1 to 9999999 (milliseconds)'),

  /**
   * How long a service that closes goes on serving: longer than a balancer needs to see that
   * `/readyz` is red.
   */
  shutdownDelayMs: () =>
    z
      .string()
      .regex(/^\d{1,5}$/)
      .transform(Number)
      .pipe(z.number().max(60_000))
      .default(0)
      .describe('an integer from 0 to 60000 (milliseconds)'),

  httpUrl: () => z.url({ protocol: /^https?$/ }).describe('an http or https URL'),

  addresses: () =>
    z
      .string()
      .regex(/^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$/)
      .transform((list) => Object.freeze(list.split(',')))
      .describe('host:port addresses with commas between'),

  onOff: (preset: 'on' | 'off') =>
    z
      .enum(['on', 'off'])
      .default(preset)
      .transform((value) => value === 'on')
      .describe('on or off'),

  /** What `runService` itself needs; spread it into every service's schema. */
  process: (name: string) => ({
    INSTANCE: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/)
      .default(name)
      .describe('1 to 64 characters of A-Z, a-z, 0-9, - and _'),
    LOG_LEVEL: z
      .enum(logLevels)
      .default('info')
      .describe(`one of ${logLevels.join(', ')}`),
  }),
} as const;

/**
 * The configuration cannot be used; the message is a report of every problem, fit for a terminal.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Variables and the names that they had before, which work for one release more. */
export const formerNames: Readonly<Record<string, string>> = {
  SHUTDOWN_DELAY_MS: 'DRAIN_MS',
  OBSERVE_EVERY_MS: 'LOOK_EVERY_MS',
};

const secretName = /PASSWORD|SECRET|TOKEN|CREDENTIAL|PRIVATE/;

/**
 * Reads the variables that `schema` names, or reports all problems at once; an empty variable
 * counts as not set. Where `NAME` is not set, `NAME_FILE` may name a file with its value:
 * containers get their secrets as files.
 */
export function readConfig<Schema extends z.ZodObject>(
  schema: Schema,
  env: NodeJS.ProcessEnv,
): Readonly<z.output<Schema>> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  for (const [name, former] of Object.entries(formerNames)) {
    if (given[name] !== undefined || given[`${name}_FILE`] !== undefined) continue;
    given[name] = given[former];
    given[`${name}_FILE`] = given[`${former}_FILE`];
  }
  const fileProblems = new Map<string, string>();
  for (const variable of Object.keys(schema.shape)) {
    const file = given[`${variable}_FILE`];
    if (file === undefined) continue;
    const found = readValue(file, given[variable] !== undefined);
    if (found.kind === 'value') given[variable] = found.value;
    else fileProblems.set(variable, found.problem);
  }
  const result = schema.safeParse(given);
  if (result.success && fileProblems.size === 0) return Object.freeze(result.data);

  const lines = (result.error?.issues ?? [])
    .map(({ path, message }) => ({ variable: String(path[0] ?? '(all)'), message }))
    .filter(({ variable }) => !fileProblems.has(variable))
    .map(({ variable, message }) => {
      return `  ${variable}: ${showGiven(variable, given[variable])}, ${requirement(schema.shape[variable], message)}`;
    });
  const fileLines = [...fileProblems].map(
    ([variable, problem]) => `  ${variable}_FILE: ${problem}`,
  );
  throw new ConfigError(
    ['The configuration cannot be used:', ...new Set([...lines, ...fileLines])].join('\n'),
  );
}

type FileValue =
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'bad'; readonly problem: string };

function readValue(file: string, isSetTwice: boolean): FileValue {
  const got = `got ${JSON.stringify(file)}`;
  if (isSetTwice)
    return { kind: 'bad', problem: `${got}, but the variable itself is set too: set one of them` };
  try {
    // Editors and `echo` end a file with a line break.
    const value = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    return value === ''
      ? { kind: 'bad', problem: `${got}, which is empty` }
      : { kind: 'value', value };
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return {
      kind: 'bad',
      problem: `${got}, which cannot be read (${reason}): create it, or make it readable`,
    };
  }
}

function showGiven(variable: string, value: string | undefined): string {
  if (value === undefined) return 'not set';
  return secretName.test(variable) ? 'got a value (hidden)' : `got ${JSON.stringify(value)}`;
}

/** `must be ...` by the field's description; Zod's own message where it has none. */
function requirement(field: unknown, message: string): string {
  if (!(field instanceof z.ZodType)) return message;
  if (field.description !== undefined) return `must be ${field.description}`;
  // `.default()` wraps a field and hides its description.
  return field instanceof z.ZodDefault ? requirement(field.def.innerType, message) : message;
}
