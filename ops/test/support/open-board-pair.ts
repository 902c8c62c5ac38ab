import { runMigrations } from '@board/mysql';
import { createTestSchema, type StackAddresses, type TestSchema } from '@board/test';
import { migrations as catalogMigrations } from '../../../services/catalog-service/src/database/migrations.ts';
import { migrations as orderMigrations } from '../../../services/order-service/src/database/migrations.ts';

/** A schema of order-service and one of catalog-service, for one test. */
export interface BoardPair {
  readonly source: TestSchema;
  readonly consumer: TestSchema;
  /**
   * Boards as they are once all was applied: in both schemas, with outbox rows and marks; ids sort
   * by their number.
   */
  fill(boards: number): Promise<void>;
  close(): Promise<void>;
}

/** The id of the n-th board of `fill`. */
export function boardId(number: number): string {
  return `01900000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}

export async function openBoardPair(stack: StackAddresses, group: string): Promise<BoardPair> {
  const source = await createTestSchema(stack);
  const consumer = await createTestSchema(stack);
  await runMigrations(source.connection, orderMigrations);
  await runMigrations(consumer.connection, catalogMigrations);
  // The audit account of the pipeline gets its rights here too.
  for (const schema of [source, consumer])
    await schema.root.query(`GRANT SELECT ON ${schema.name}.* TO 'audit'@'127.0.0.1'`);
  await consumer.root.query(
    `GRANT UPDATE (cleared_at) ON ${consumer.name}.missing_range TO 'audit'@'127.0.0.1'`,
  );

  return {
    source,
    consumer,
    async fill(boards) {
      // These rows are not shipped, so they are not needed in the binlog.
      for (const { root } of [source, consumer]) await root.query('SET SESSION sql_log_bin = OFF');
      await source.root.query('SET SESSION cte_max_recursion_depth = ?', [boards + 1]);
      await source.root.query(
        `INSERT INTO board (id, version, title, content, author, created_at, updated_at, deleted_at)
         WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
         SELECT CONCAT('01900000-0000-7000-8000-', LPAD(LOWER(HEX(n)), 12, '0')), 1 + n % 3,
           CONCAT('제목 ', n), REPEAT('내용 🎉 ', n % 20),
           IF(n % 3 = 0, NULL, CONCAT('writer-', n % 100)), '2026-01-02 03:04:05.678',
             '2026-01-02 03:04:05.678',
           IF(n % 50 = 0, '2026-01-03 00:00:00', NULL) FROM numbers`,
        [boards],
      );
      await source.root.query(
        `INSERT INTO outbox (id, aggregatetype, aggregateid, version, partition_key, type,
          payload, occurred_at)
         SELECT CONCAT('e', SUBSTR(id, 2)), 'board', id, version, id, 'BoardEdited', content,
           updated_at FROM board ORDER BY id`,
      );
      await consumer.root.query(
        `INSERT INTO mark (consumer, aggregatetype, aggregateid, version, event_id)
         SELECT ?, aggregatetype, aggregateid, version, id FROM ${source.name}.outbox
           ORDER BY aggregateid`,
        [group],
      );
      await consumer.root.query(
        `INSERT INTO catalog (id, version, title, content, author, created_at, updated_at,
          deleted_at, applied_count)
         SELECT id, version, title, content, author, created_at, updated_at, deleted_at, version
           FROM ${source.name}.board ORDER BY id`,
      );
      for (const { root } of [source, consumer]) await root.query('SET SESSION sql_log_bin = ON');
    },
    async close() {
      for (const schema of [source, consumer])
        await schema.root.query(`REVOKE SELECT ON ${schema.name}.* FROM 'audit'@'127.0.0.1'`);
      await source.drop();
      await consumer.drop();
    },
  };
}
