import type { Connection as RootConnection, RowDataPacket } from 'mysql2/promise';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Connection } from '../../src/open-session.ts';
import { runMigrations } from '../../src/data-source.ts';

type Migrations = readonly (new () => MigrationInterface)[];

interface InterruptedRun {
  /** The connection was killed after this many statements of the migrations. */
  readonly statements: number;
  readonly firstRun: 'finished' | 'failed';
  /** SHOW CREATE TABLE of every table after the second run. */
  readonly schema: Readonly<Record<string, string>>;
}

/**
 * Runs the migrations undisturbed, then once for each of their statements with a connection that is
 * killed right after it, and once more after that; each time in an empty schema.
 */
export async function compareInterruptedRuns(
  connection: Connection,
  root: RootConnection,
  migrations: Migrations,
): Promise<{ undisturbed: InterruptedRun['schema']; interrupted: readonly InterruptedRun[] }> {
  async function runIn<Result>(work: () => Promise<Result>): Promise<Result> {
    await root.query('DROP DATABASE ??', [connection.name]);
    await root.query('CREATE DATABASE ??', [connection.name]);
    await root.query('USE ??', [connection.name]);
    return work();
  }

  const all = killAfter(Infinity, migrations, root);
  const undisturbed = await runIn(async () => {
    await runMigrations(connection, all.migrations);
    return readSchema(root);
  });
  const interrupted: InterruptedRun[] = [];
  for (let statements = 1; statements <= all.ran(); statements += 1)
    interrupted.push(
      await runIn(async () => {
        const first = runMigrations(connection, killAfter(statements, migrations, root).migrations);
        const firstRun = await first.then(
          () => 'finished' as const,
          () => 'failed' as const,
        );
        await runMigrations(connection, migrations);
        return { statements, firstRun, schema: await readSchema(root) };
      }),
    );
  return { undisturbed, interrupted };
}

/**
 * The same migrations on a connection that is killed right after that many statements of all of
 * them together.
 */
function killAfter(statements: number, migrations: Migrations, root: RootConnection) {
  let ran = 0;
  const watch = (runner: QueryRunner): QueryRunner => {
    const query = async (sql: string, parameters?: unknown[]): Promise<unknown> => {
      const answer: unknown = await runner.query(sql, parameters);
      ran += 1;
      if (ran === statements) {
        const [row]: { id: string }[] = await runner.query('SELECT CONNECTION_ID() AS id');
        await root.query('KILL ?', [Number(row?.id)]);
      }
      return answer;
    };
    return Object.create(runner, { query: { value: query } }) as QueryRunner;
  };
  const watched = migrations.map(
    (Migration) =>
      class extends Migration {
        override up(runner: QueryRunner): Promise<void> {
          return super.up(watch(runner)) as Promise<void>;
        }
      },
  );
  return { migrations: watched, ran: () => ran };
}

async function readSchema(root: RootConnection): Promise<Record<string, string>> {
  const schema: Record<string, string> = {};
  const [tables] = await root.query<RowDataPacket[]>('SHOW TABLES');
  for (const name of tables.map((row) => String(Object.values(row)[0]))) {
    const [[table]] = (await root.query('SHOW CREATE TABLE ??', [name])) as unknown as [
      [{ 'Create Table': string }],
    ];
    // The counter of the list of migrations tells of attempts, not of the shape.
    schema[name] = table['Create Table'].replace(/ AUTO_INCREMENT=\d+/, '');
  }
  return schema;
}
