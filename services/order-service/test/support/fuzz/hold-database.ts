import { createHash } from 'node:crypto';
import type { TestSchema } from '@board/test';
import { expect } from 'vitest';
import { readVersions } from '../read-versions.ts';
import { digestOf, type World } from './world.ts';

/** Fails the test when the database differs from the answers. */
export async function holdDatabase(root: TestSchema['root'], world: World): Promise<void> {
  const read = async <Row>(sql: string): Promise<Row[]> => (await root.query(sql))[0] as Row[];

  // Both or neither, and without a gap.
  const versions = await readVersions(root);
  for (const { row, events } of Object.values(versions))
    expect(events).toEqual(Array.from({ length: row }, (_, n) => n + 1));

  // Each text is stored as it was answered, character for character; a later version may be of a
  // request that was broken off.
  const boards = await read<{
    id: string;
    version: number;
    title: string;
    content: string;
    author: string | null;
  }>('SELECT id, version, title, content, author FROM board');
  const stored = new Map(
    boards.map((board) => [board.id, { version: board.version, digest: digestOf(board) }]),
  );
  for (const [id, told] of world.told) {
    const row = stored.get(id);
    expect(row?.version).toBeGreaterThanOrEqual(told.version);
    if (row?.version === told.version) expect([id, row.digest]).toEqual([id, told.digest]);
  }

  // Each key is kept with the answer that it got, and every key was sent.
  const rows = await read<{ key_hash: Buffer; answer: Buffer }>(
    'SELECT key_hash, answer FROM idempotency_key',
  );
  const kept = new Map(
    rows.map((row) => [row.key_hash.toString('hex'), JSON.parse(row.answer.toString()) as object]),
  );
  const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');
  for (const { key, status, body } of world.keyed)
    expect(kept.get(hashOf(key))).toMatchObject({ status, body });
  const sent = new Set([...world.keys].map(hashOf));
  expect([...kept.keys()].filter((hash) => !sent.has(hash))).toEqual([]);
}
