import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';

export interface LogOptions {
  /** Paths, or `-` for standard input. */
  readonly files: readonly string[];
  readonly aggregateId: string;
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The lines of the services' logs that name an aggregate. */
export interface Logs {
  readonly files: number;
  /**
   * Read once, however many ask: standard input comes once. A file that was last written before
   * `sinceMs` is left out.
   */
  readonly lines: (sinceMs: number) => Promise<readonly string[]>;
}

const sayEveryLines = 100_000;

/** Throws when lines are asked for and a file cannot be read. */
export function openLogs(options: LogOptions): Logs {
  let lines: Promise<readonly string[]> | undefined;
  return {
    files: options.files.length,
    lines: (sinceMs) => (lines ??= readLines(options, sinceMs)),
  };
}

async function readLines(
  { files, aggregateId, say = () => undefined, signal }: LogOptions,
  sinceMs: number,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of files) {
    if (file !== '-' && (await stat(file)).mtimeMs < sinceMs) continue;
    const input = file === '-' ? process.stdin : createReadStream(file);
    let lines = 0;
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      lines += 1;
      if (lines % sayEveryLines === 0) {
        say(`${lines} lines of ${file} read`);
        signal?.throwIfAborted();
      }
      // Most lines are about others, and looking is cheaper than parsing.
      if (line.includes(aggregateId)) found.push(line);
    }
  }
  return found;
}
