import { connectionOptions } from '@board/mysql';
import { createTestSchema, uniqueName, type TestSchema } from '@board/test';
import type { RowDataPacket } from '@board/mysql';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, inject } from 'vitest';
import { inboxMigrations } from '../src/store/migrations.ts';
import { createMysqlStore } from '../src/store/mysql-store.ts';
import { describeStore } from './support/store-conformance/store-conformance.ts';

let schema: TestSchema;
let dataSource: DataSource;
beforeAll(async () => {
  schema = await createTestSchema(inject('stack'));
  await schema.root.query(
    'CREATE TABLE effect (seq INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(20) NOT NULL)',
  );
  dataSource = new DataSource({
    ...connectionOptions(schema.connection),
    migrations: [...inboxMigrations],
  });
  await dataSource.initialize();
  await dataSource.runMigrations({ transaction: 'none' });
});
afterAll(async () => {
  await dataSource.destroy();
  await schema.drop();
});

describeStore('MySQL', async () => {
  const consumer = { group: uniqueName('group'), aggregateType: 'thing' };
  await schema.root.query('DELETE FROM effect');
  const options = { dataSource, consumer, nowMs: Date.now };
  return {
    one: createMysqlStore(options),
    other: createMysqlStore(options),
    async effects() {
      const [rows] = await schema.root.query<RowDataPacket[]>(
        'SELECT text FROM effect ORDER BY seq',
      );
      return rows.map(({ text }) => text as string);
    },
    async dismiss(deadLetter) {
      await schema.root.query(
        "UPDATE dead_letter SET closed_at = 1, closed_by = 'dismissed' WHERE consumer = ? AND letter = ?",
        [consumer.group, deadLetter],
      );
    },
  };
});
