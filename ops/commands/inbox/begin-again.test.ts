import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readBaseline } from './begin-again.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baseline-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function collect(file: string): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const row of readBaseline(file)) rows.push(row);
  return rows;
}

async function read(text: string): Promise<unknown[]> {
  const file = join(folder, 'rows.jsonl');
  await writeFile(file, text);
  return collect(file);
}

it('a baseline has one row per line, and an unknown event id is empty', async () => {
  expect(
    await read(
      '{"aggregateId":"a","version":1,"eventId":"e","data":{"x":1}}\n\n{"aggregateId":"b","version":2}\n',
    ),
  ).toEqual([
    { aggregateId: 'a', version: 1, eventId: 'e', data: { x: 1 } },
    { aggregateId: 'b', version: 2, eventId: '', data: undefined },
  ]);
});

it.each([
  ['no JSON', 'nonsense', /line 2 of the baseline/],
  ['a version of 0', '{"aggregateId":"a","version":0}', /line 2 of the baseline/],
  ['an id with a space', '{"aggregateId":"a b","version":1}', /line 2 of the baseline/],
  [
    'an id that is too long',
    `{"aggregateId":"${'a'.repeat(65)}","version":1}`,
    /line 2 of the baseline/,
  ],
])('the error names the line with %s', async (_name, line, error) => {
  await expect(read(`{"aggregateId":"a","version":1}\n${line}\n`)).rejects.toThrow(error);
});

it('reading a baseline fails when the file does not exist', async () => {
  await expect(collect(join(folder, 'nowhere.jsonl'))).rejects.toThrow(/ENOENT/);
});
