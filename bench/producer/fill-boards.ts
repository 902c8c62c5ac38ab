import { randomUUIDv7 } from 'node:crypto';
import type { TestSchema } from '@board/test';

const chunk = 2_000;

/** Stores boards with their events as order-service would have, in large transactions. */
export async function fillBoards(
  { root }: TestSchema,
  boards: number,
  onProgress: (stored: number) => void,
) {
  const now = new Date();
  const content = '안녕하세요. 이것은 벤치마크에 쓰는 본문입니다. '.repeat(6);
  for (let stored = 0; stored < boards; stored += chunk) {
    const ids = Array.from({ length: Math.min(chunk, boards - stored) }, () => randomUUIDv7());
    await root.query(
      'INSERT INTO board (id, version, title, content, author, created_at, updated_at) VALUES ?',
      [ids.map((id) => [id, 1, '벤치마크 게시글 🎉', content, '민지', now, now])],
    );
    await root.query(
      'INSERT INTO outbox (id, aggregatetype, aggregateid, version, partition_key, type, payload, occurred_at) VALUES ?',
      [
        ids.map((id) => [
          randomUUIDv7(),
          'board',
          id,
          1,
          '민지',
          'BoardCreated',
          Buffer.from(content),
          now,
        ]),
      ],
    );
    onProgress(stored + ids.length);
  }
}
