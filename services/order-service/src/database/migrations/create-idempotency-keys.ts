import { createIdempotencyTable } from '@board/outbox';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateIdempotencyKeys1764100000000 implements MigrationInterface {
  readonly name = 'CreateIdempotencyKeys1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(createIdempotencyTable);
  }

  async down(): Promise<void> {
    throw new Error('Keys are not dropped by a migration: a request that is repeated would be done again.');
  }
}
