import { boardTopic, catalogConsumer } from '@board/contracts';
import { openAdmin } from '@board/kafka';
import { waitUntil } from '@board/test';
import { createPool, type RowDataPacket } from 'mysql2/promise';
import type { HostedPipeline } from './start-servers.ts';

/** What the operator's host can see of the pipeline from outside. */
export interface Observer {
  /**
   * Resolves with the milliseconds it took until every board was applied at least as far as here.
   */
  applied(ledger: ReadonlyMap<string, number>, timeoutMs: number): Promise<number>;
  /** Boards whose catalog row is not exactly at this version, applied as many times. */
  wrong(ledger: ReadonlyMap<string, number>): Promise<string[]>;
  /** Boards that order-service has, and creations that catalog-service has counted. */
  totals(): Promise<{ boards: number; created: number }>;
  /** Client ids of the group's members; none while they share out the partitions. */
  members(): Promise<string[]>;
  /** Partitions of `board` of which a copy is behind. */
  behind(): Promise<number>;
  close(): Promise<void>;
}

interface Row extends RowDataPacket {
  readonly id: string;
  readonly version: number;
  readonly applied: number;
}

export async function observe({ mysql, secrets, brokers }: HostedPipeline): Promise<Observer> {
  // A pool, which connects again: the host of MySQL may be away for a while.
  const pool = createPool({
    ...mysql,
    user: 'audit',
    password: secrets.audit,
    connectTimeout: 3_000,
  });
  const admin = await openAdmin({ brokers });

  async function readCatalog(ledger: ReadonlyMap<string, number>): Promise<Map<string, Row>> {
    const [rows] = await pool.query<Row[]>(
      'SELECT id, version, applied_count AS applied FROM catalog_service.catalog WHERE id IN (?)',
      [[...ledger.keys()]],
    );
    return new Map(rows.map((row) => [row.id, row]));
  }

  return {
    async applied(ledger, timeoutMs) {
      const startedAt = Date.now();
      await waitUntil(
        `${ledger.size} boards applied`,
        async () => {
          const catalog = await readCatalog(ledger);
          return [...ledger].every(([id, version]) => (catalog.get(id)?.version ?? 0) >= version);
        },
        { timeoutMs, everyMs: 200 },
      );
      return Date.now() - startedAt;
    },
    async wrong(ledger) {
      const catalog = await readCatalog(ledger);
      return [...ledger].flatMap(([id, version]) => {
        const row = catalog.get(id);
        return row?.version === version && row.applied === version
          ? []
          : [
              `${id}: committed ${version}, in the catalog ${row?.version}, applied ${row?.applied} times`,
            ];
      });
    },
    async totals() {
      const [[row]] = await pool.query<RowDataPacket[]>(
        `SELECT (SELECT COUNT(*) FROM order_service.board) AS boards,
                (SELECT SUM(created) FROM catalog_service.created_per_day) AS created`,
      );
      return { boards: Number(row?.['boards']), created: Number(row?.['created']) };
    },
    async members() {
      const { groups } = await admin.describeGroups([catalogConsumer.group]);
      const group = groups[0]?.state === 'Stable' ? groups[0] : undefined;
      return (group?.members ?? []).map(({ clientId }) => clientId).toSorted();
    },
    async behind() {
      const { topics } = await admin.fetchTopicMetadata({ topics: [boardTopic.name] });
      return (topics[0]?.partitions ?? []).filter(
        ({ isr, replicas }) => isr.length < replicas.length,
      ).length;
    },
    async close() {
      await pool.end();
      await admin.disconnect();
    },
  };
}
