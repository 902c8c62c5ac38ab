import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openLogs } from './read-logs.ts';

it('reads the lines of an aggregate ONCE, however many consumers ask: standard input comes once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'read-logs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'service.log');
  writeFileSync(file, 'of a1\nof another\nof a1 again\n');
  const logs = openLogs({ files: [file], aggregateId: 'a1' });
  expect(await logs.lines(0)).toEqual(['of a1', 'of a1 again']);
  rmSync(file);
  expect(await logs.lines(0)).toEqual(['of a1', 'of a1 again']);
});
