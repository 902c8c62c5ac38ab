import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Instance } from './instance.ts';
import { writeFile } from './write-file.ts';

const users = ['root', 'order_service', 'catalog_service', 'cdc', 'migrations', 'registry', 'purge', 'audit'] as const;

/** Password of each MySQL user. */
export type Secrets = Readonly<Record<(typeof users)[number], string>>;

const schema = z.record(z.enum(users), z.string().min(16));

const fileOf = (instance: Instance): string => resolve(instance.folder, 'secrets.json');

export function readSecrets(instance: Instance): Secrets | undefined {
  const file = fileOf(instance);
  return existsSync(file) ? schema.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
}

/** The instance's passwords, made at the first call. */
export function ensureSecrets(instance: Instance): Secrets {
  const known = readSecrets(instance);
  if (known !== undefined) return known;
  const made = schema.parse(Object.fromEntries(users.map((user) => [user, randomBytes(24).toString('base64url')])));
  writeFile(fileOf(instance), `${JSON.stringify(made, null, 2)}\n`);
  return made;
}
