import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { mysqlUsers, type UserPasswords } from '@board/provision';
import { z } from 'zod';
import { writeFile, type Instance } from './instance.ts';

/** Password of each MySQL user. */
export type Secrets = UserPasswords & { readonly root: string };

const users = ['root', ...mysqlUsers];
const schema = z.record(z.string(), z.string().min(16));

const fileOf = (instance: Instance): string => resolve(instance.folder, 'secrets.json');

/** Undefined when the instance has none, or not one for each user yet. */
export function readSecrets(instance: Instance): Secrets | undefined {
  const known = readKnown(instance);
  return users.every((user) => user in known) ? (known as Secrets) : undefined;
}

/** The instance's passwords; each is made once. */
export function ensureSecrets(instance: Instance): Secrets {
  const known = readKnown(instance);
  const made = users
    .filter((user) => !(user in known))
    .map((user) => [user, randomBytes(24).toString('base64url')] as const);
  const all = { ...known, ...Object.fromEntries(made) };
  if (made.length > 0) writeFile(fileOf(instance), `${JSON.stringify(all, null, 2)}\n`);
  return all as Secrets;
}

function readKnown(instance: Instance): Record<string, string> {
  const file = fileOf(instance);
  return existsSync(file) ? schema.parse(JSON.parse(readFileSync(file, 'utf8'))) : {};
}
