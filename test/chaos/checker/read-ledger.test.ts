import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ChaosRun, ClientOperation, LedgerLine } from '../history.ts';
import { readLedger } from './read-ledger.ts';

const run: ChaosRun = {
  seed: 7,
  startedAt: 1,
  titlePrefix: 'chaos 7 ',
  alone: true,
  attempts: 4,
  quiescence: null,
};
const operation: ClientOperation = {
  key: 'a',
  client: 1,
  kind: 'create',
  boardId: null,
  title: 'chaos 7 글\u2028',
  content: '',
  author: null,
  ifVersion: null,
  attempts: [{ sentAt: 1, endedAt: null, result: null }],
  isAbandoned: false,
  outcome: { kind: 'unknown' },
};
const fault = {
  id: 1,
  name: 'kill',
  target: 'mysql',
  begunAt: 1,
  tookAt: null,
  endedAt: null,
  readyAt: null,
  details: '',
};
const lines: readonly LedgerLine[] = [
  { line: 'run', run },
  { line: 'operation', operation },
  { line: 'fault', fault },
  {
    line: 'foreign',
    foreign: { id: 1, kind: 'lz4', topic: 'board', sentAt: 1, count: 2, acknowledged: 0 },
  },
  {
    line: 'foreign',
    foreign: { id: 1, kind: 'lz4', topic: 'board', sentAt: 1, count: 2, acknowledged: 2 },
  },
  { line: 'refusal', refusal: { boardId: 'b', version: 1, times: 1 } },
  { line: 'refusal', refusal: { boardId: 'b', version: 1, times: 2 } },
  { line: 'operation', operation: { ...operation, outcome: { kind: 'refused', status: 400 } } },
  { line: 'fault', fault: { ...fault, endedAt: 9 } },
  {
    line: 'run',
    run: {
      ...run,
      quiescence: { lastFaultEndedAt: 9, quietAt: 10, allowedMs: 90_000, failedMs: 0 },
    },
  },
];
const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');

function write(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'ledger.jsonl');
  writeFileSync(file, content);
  return file;
}

test('the last line of each thing counts', async () => {
  expect(await readLedger(write(text))).toEqual({
    run: {
      ...run,
      quiescence: { lastFaultEndedAt: 9, quietAt: 10, allowedMs: 90_000, failedMs: 0 },
    },
    operations: [{ ...operation, outcome: { kind: 'refused', status: 400 } }],
    faults: [{ ...fault, endedAt: 9 }],
    foreign: [{ id: 1, kind: 'lz4', topic: 'board', sentAt: 1, count: 2, acknowledged: 2 }],
    refusals: [{ boardId: 'b', version: 1, times: 2 }],
  });
});

test('a ledger that ends at any place after its first line is read', async () => {
  const [first = ''] = text.split('\n');
  for (let end = first.length; end < text.length; end += 37)
    expect(await readLedger(write(text.slice(0, end)))).toMatchObject({ run: { seed: 7 } });
});

test('a line that is no JSON before the last one is refused with its number', async () => {
  await expect(readLedger(write(text.replace('{"line":"fault"', '{"line')))).rejects.toThrow(
    /line 3 is no JSON: {"line,/,
  );
});

test('a ledger of a version that called its last phase otherwise is refused by name', async () => {
  await expect(readLedger(write(text.replaceAll('"quiescence"', '"drain"')))).rejects.toThrow(
    /has no "quiescence": another version/,
  );
});

test('a file without a run is refused', async () => {
  await expect(readLedger(write(''))).rejects.toThrow(/has no line of the run/);
});
