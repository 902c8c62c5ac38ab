import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Fact } from './fact.ts';
import { parseLogLine } from './parse-log-line.ts';

export interface LogOptions {
  /** Paths, or `-` for standard input. */
  readonly files: readonly string[];
  readonly aggregateId: string;
  /** A file that was last written before this cannot tell anything. */
  readonly sinceMs: number;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const sayEveryLines = 100_000;

/** What the services' logs say about the board; throws when a file cannot be read. */
export async function readLogs({ files, aggregateId, sinceMs, say, signal }: LogOptions): Promise<Fact[]> {
  const facts: Fact[] = [];
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
      if (line.includes(aggregateId)) facts.push(...parseLogLine(line, aggregateId));
    }
  }
  return facts;
}
