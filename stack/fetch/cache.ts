import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { waitForLock } from '../instance/hold-lock.ts';

/** Says what is going on, one line at a time. */
export type Say = (line: string) => void;

/** Where downloads lie, shared by all checkouts of this user. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'];
  return join(
    base !== undefined && base !== '' ? base : join(homedir(), '.cache'),
    'board-pipeline',
  );
}

const marker = 'complete.json';

/** The folder of this name, undefined until it is complete. */
export function findCached(name: string): string | undefined {
  const folder = join(cacheFolder(), name);
  return existsSync(join(folder, marker)) ? folder : undefined;
}

/** Fills a folder, and returns what to note in its marker. */
type Build = (folder: string) => Promise<Record<string, unknown>>;

/**
 * The complete folder of this name, made when it is missing; whatever dies on the way leaves no
 * half-made one under that name.
 */
export async function ensureCached(name: string, say: Say, build: Build): Promise<string> {
  const known = findCached(name);
  if (known !== undefined) return known;
  const cache = cacheFolder();
  mkdirSync(cache, { recursive: true });
  const lock = await waitForLock(join(cache, name), () =>
    say(`another process is fetching ${name}: waiting for it`),
  );
  try {
    return findCached(name) ?? (await buildFolder(cache, name, build));
  } finally {
    await lock.release();
  }
}

async function buildFolder(cache: string, name: string, build: Build): Promise<string> {
  const prefix = `${name}.making-`;
  for (const left of readdirSync(cache).filter((entry) => entry.startsWith(prefix))) {
    rmSync(join(cache, left), { recursive: true, force: true });
  }
  const temporary = join(cache, `${prefix}${process.pid}`);
  const final = join(cache, name);
  mkdirSync(temporary);
  try {
    const note = await build(temporary);
    writeFileSync(
      join(temporary, marker),
      `${JSON.stringify({ ...note, at: new Date().toISOString() }, null, 2)}\n`,
    );
    rmSync(final, { recursive: true, force: true });
    renameSync(temporary, final);
    return final;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}
