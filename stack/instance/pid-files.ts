import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ProcessIdentity } from '@board/service';
import { z } from 'zod';
import { type Instance, writeFile } from './instance.ts';

/** What `run/<name>.pid` says; whoever has the highest layer is stopped first. */
export interface PidFile extends ProcessIdentity {
  readonly name: string;
  readonly layer: number;
}

const schema = z.object({
  name: z.string(),
  pid: z.number().int().positive(),
  startTime: z.string(),
  bootId: z.string(),
  layer: z.number(),
});

const fileOf = (instance: Instance, name: string): string => resolve(instance.runDir, `${name}.pid`);

export function writePidFile(instance: Instance, content: PidFile): void {
  writeFile(fileOf(instance, content.name), `${JSON.stringify(content)}\n`);
}

export function removePidFile(instance: Instance, name: string): void {
  rmSync(fileOf(instance, name), { force: true });
}

/** Those of the instance's processes, whether they still run or not; a file cut short by a crash is left out. */
export function readPidFiles(instance: Instance): PidFile[] {
  if (!existsSync(instance.runDir)) return [];
  return readdirSync(instance.runDir)
    .filter((file) => file.endsWith('.pid'))
    .flatMap((file) => {
      const parsed = schema.safeParse(tryJson(readFileSync(resolve(instance.runDir, file), 'utf8')));
      return parsed.success ? [parsed.data] : [];
    });
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
