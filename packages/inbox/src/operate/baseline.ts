import { withAdmin } from '@board/kafka-kit';
import type { EntityManager } from 'typeorm';
import { inTransaction } from '../database/transaction.ts';
import { readGroupStates } from './group-state.ts';
import type { Operator } from './operator.ts';
import { Refusal } from './refusal.ts';

/** Where one aggregate stands, as if the consumer had applied all events up to there. */
export interface BaselineRow<Data> {
  readonly aggregateId: string;
  readonly version: number;
  /** Of the event with this version; empty when nobody knows it, and its record then counts as a conflict if it comes. */
  readonly eventId: string;
  /** What the consumer's own tables need. */
  readonly data: Data;
}

export type BaselineOutcome =
  { readonly outcome: 'seeded'; readonly marks: number } | { readonly outcome: 'has-started' | 'has-marks' };

const rowsPerStatement = 1_000;

/**
 * Seeds the marks of a consumer that has never run, and by `seed` its rows, in one transaction: for a source topic that no
 * longer holds everything. Refuses once the consumer has started, because its marks are then the truth.
 */
export async function baseline<Data>(
  operator: Operator,
  rows: AsyncIterable<BaselineRow<Data>>,
  seed: (tx: EntityManager, rows: readonly BaselineRow<Data>[]) => Promise<void>,
): Promise<BaselineOutcome> {
  const { consumer, dataSource } = operator;
  return withAdmin(operator.kafka, async (admin) => {
    const hasStarted = async (): Promise<boolean> =>
      (await readGroupStates(admin, operator)).some(({ members, hasCommitted }) => members > 0 || hasCommitted);
    let read = false;
    try {
      if (await hasStarted()) return { outcome: 'has-started' };
      return await inTransaction(
        dataSource,
        () => undefined,
        async ({ tx }): Promise<BaselineOutcome> => {
          if (read) throw new Error('the database undid the baseline, and its rows cannot be read twice: run it again');
          const [mark]: readonly unknown[] = await tx.query('SELECT 1 FROM mark WHERE consumer = ? LIMIT 1', [
            consumer.group,
          ]);
          if (mark !== undefined) return { outcome: 'has-marks' };
          read = true;
          let marks = 0;
          for await (const page of inPages(rows)) {
            // No upsert: two rows of one aggregate, or a second baseline at the same time, must not pass.
            await tx.query('INSERT INTO mark (consumer, aggregatetype, aggregateid, version, event_id) VALUES ?', [
              page.map((row) => [consumer.group, consumer.aggregateType, row.aggregateId, row.version, row.eventId]),
            ]);
            await seed(tx, page);
            marks += page.length;
          }
          // Again, because seeding takes its time; what starts from now on waits for these marks or finds them.
          if (await hasStarted()) throw new Refusal<BaselineOutcome>({ outcome: 'has-started' });
          return { outcome: 'seeded', marks };
        },
      );
    } catch (error) {
      if (error instanceof Refusal) return (error as Refusal<BaselineOutcome>).outcome;
      throw error;
    }
  });
}

async function* inPages<Row>(rows: AsyncIterable<Row>): AsyncGenerator<readonly Row[]> {
  let page: Row[] = [];
  for await (const row of rows) {
    page.push(row);
    if (page.length < rowsPerStatement) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
