import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

export const checkout = resolve(import.meta.dirname, '../..');

/** A file of the checkout. */
export const readText = (name: string): string => readFileSync(resolve(checkout, name), 'utf8');

const service = z.looseObject({
  image: z.string().optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  secrets: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  env_file: z.array(z.string()).default([]),
  profiles: z.array(z.string()).default([]),
  mem_limit: z.string().optional(),
  stop_grace_period: z.string().optional(),
  restart: z.string().optional(),
  user: z.string().optional(),
  read_only: z.boolean().optional(),
});

const file = z.object({
  services: z.record(z.string(), service),
  secrets: z.record(z.string(), z.object({ file: z.string() })).default({}),
});

export type ComposeService = z.output<typeof service>;

/**
 * A compose file with its anchors merged, every variable at its default, and `$$` as the `$` that
 * the container sees.
 */
export function readCompose(name: string): z.output<typeof file> {
  const text = readText(name)
    .replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1')
    .replaceAll('$$', '$');
  const ignoreTag = { tag: '!override', collection: 'map' as const };
  return file.parse(
    parse(text, {
      merge: true,
      customTags: (tags) => [...tags, ignoreTag],
      logLevel: 'error',
      maxAliasCount: -1,
    }),
  );
}
