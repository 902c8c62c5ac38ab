import type { DataSource, QueryRunner } from 'typeorm';

export interface StatementCost {
  readonly sql: string;
  /** Rows and index entries that the server touched for it, those of temporary tables included. */
  readonly rowsRead: number;
}

/** What else the caller passes goes through: TypeORM asks for its own kind of result by it. */
type Query = (sql: string, values?: unknown[], ...more: never[]) => Promise<unknown>;

/**
 * Wraps the one way to run a statement on a connection, so that the cost of each is written down.
 */
function measured(query: Query, costs: StatementCost[]): Query {
  async function readCounters(): Promise<number> {
    const rows = (await query("SHOW SESSION STATUS LIKE 'Handler_read%'")) as { Value: string }[];
    return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
  }
  return async (sql, values, ...more) => {
    // Asking counts too.
    const first = await readCounters();
    const before = await readCounters();
    const answer = await query(sql, values, ...more);
    const rowsRead = (await readCounters()) - before - (before - first);
    costs.push({ sql, rowsRead });
    return answer;
  };
}

/**
 * The cost of every statement that the code under test runs through this data source from now on.
 */
export function measureReads(dataSource: DataSource): StatementCost[] {
  const costs: StatementCost[] = [];
  const createQueryRunner = dataSource.createQueryRunner.bind(dataSource);
  dataSource.createQueryRunner = (mode) => {
    const runner = createQueryRunner(mode);
    const query = measured(runner.query.bind(runner) as Query, costs);
    return Object.assign(runner, { query: query as QueryRunner['query'] });
  };
  return costs;
}

/** The same for code that takes a function for its statements. */
export function measureQuery(query: Query): { query: Query; costs: StatementCost[] } {
  const costs: StatementCost[] = [];
  return { query: measured(query, costs), costs };
}

/** Statements that touched more rows than they may. */
export function costlier(
  costs: readonly StatementCost[],
  maxRowsRead: number,
): readonly StatementCost[] {
  return costs.filter(({ rowsRead }) => rowsRead > maxRowsRead);
}
