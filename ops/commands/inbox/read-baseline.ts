import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { SeedRow } from '../consumer/consumer-rows.ts';

const ascii = /^[\x21-\x7e]+$/;

const line = z.object({
  aggregateId: z.string().regex(ascii).max(64),
  version: z
    .int()
    .min(1)
    .max(2 ** 32 - 1),
  /** Left out when it is no longer known. */
  eventId: z.string().regex(ascii).max(36).optional(),
  data: z.unknown().optional(),
});

/**
 * The rows of a baseline, one JSON document a line; throws with the number of the line that is
 * wrong.
 */
export async function* readBaseline(file: string): AsyncGenerator<SeedRow> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  let number = 0;
  for await (const text of createInterface({ input, crlfDelay: Infinity })) {
    number += 1;
    if (text.trim() === '') continue;
    const { eventId = '', data, ...row } = parseLine(text, number);
    yield { ...row, eventId, data };
  }
}

function parseLine(text: string, number: number): z.output<typeof line> {
  try {
    const parsed = line.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new Error(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is wrong'}`);
  } catch (cause) {
    throw new Error(`line ${number} of the baseline cannot be used`, { cause });
  }
}
