import { z } from 'zod';

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Zod fields for the variables that services share; each says in its description what it wants. */
export const configFields = {
  text: () => z.string().describe('a text'),

  secret: () => z.string().describe('a secret text'),

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
      .describe('milliseconds, from 1 to 9999999'),

  /** How long a service that closes goes on serving: longer than a balancer needs to see that `/readyz` is red. */
  drainMs: () =>
    z
      .string()
      .regex(/^\d{1,5}$/)
      .transform(Number)
      .pipe(z.number().max(60_000))
      .default(0)
      .describe('milliseconds, from 0 to 60000'),

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
      .describe('a name of 1-64 letters, digits, - or _'),
    LOG_LEVEL: z
      .enum(logLevels)
      .default('info')
      .describe(`one of ${logLevels.join(', ')}`),
  }),
} as const;
