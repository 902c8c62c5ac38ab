import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

const checkout = resolve(import.meta.dirname, '../..');
/** `connectors` for the definition that `packages/relay` reads. */
const copied = ['connectors', 'contracts', 'packages', 'services'];

/**
 * A change of one file: `from`, which stands there once, becomes `to`; without `from` the file is
 * new.
 */
export interface Edit {
  readonly file: string;
  readonly from?: string;
  readonly to: string;
}

/** A copy of what the services are made of, which runs as the checkout does. */
export interface LaidOutVersion {
  file(path: string): string;
  remove(): void;
}

/**
 * Copies contracts, packages and services of this checkout to a folder of their own, and changes
 * the copy.
 */
export function layOutVersion(edits: readonly Edit[]): LaidOutVersion {
  const folder = mkdtempSync(join(tmpdir(), 'board-version-'));
  const remove = (): void => rmSync(folder, { recursive: true });
  try {
    for (const name of copied)
      cpSync(join(checkout, name), join(folder, name), {
        recursive: true,
        filter: (path) => basename(path) !== 'node_modules',
      });
    linkModules(join(checkout, 'node_modules'), join(folder, 'node_modules'));
    for (const edit of edits) apply(join(folder, edit.file), edit);
  } catch (error) {
    remove();
    throw error;
  }
  return { file: (path) => join(folder, path), remove };
}

/**
 * What others wrote is used where it is; `@board/...` must lead to the copy, so its links stay
 * relative.
 */
function linkModules(from: string, to: string): void {
  mkdirSync(join(to, '@board'), { recursive: true });
  for (const name of readdirSync(from))
    if (name !== '@board' && !name.startsWith('.')) symlinkSync(join(from, name), join(to, name));
  for (const name of readdirSync(join(from, '@board'))) {
    const target = readlinkSync(join(from, '@board', name));
    if (existsSync(join(to, '@board', target))) symlinkSync(target, join(to, '@board', name));
  }
}

function apply(path: string, { file, from, to }: Edit): void {
  if (from === undefined) return writeFileSync(path, to, { flag: 'wx' });
  const parts = readFileSync(path, 'utf8').split(from);
  if (parts.length !== 2)
    throw new Error(`${file} has this text ${parts.length - 1} times, not once: ${from}`);
  writeFileSync(path, parts.join(to));
}
