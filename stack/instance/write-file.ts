import { renameSync, writeFileSync } from 'node:fs';

/** Replaces a file in one step, readable by its owner only: a reader sees the old text or the new one. */
export function writeFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}
