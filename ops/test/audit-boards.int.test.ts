import { randomUUIDv7 } from 'node:crypto';
import { waitUntilShipped } from '@board/relay';
import { openSession } from '@board/mysql';
import { must } from '@board/service';
import { purgeOutbox } from '@board/outbox';
import { waitUntil } from '@board/test';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { auditConsumers, type ConsumerAuditReport } from '../commands/audit/audit-consumers.ts';
import { boardId } from './support/open-board-pair.ts';
import { openBoardPipeline, type BoardPipeline } from './support/open-board-pipeline.ts';
import { allReceived } from '@board/outbox/testing';

const stack = inject('stack');
const boards = process.env['TIER'] === 'full' ? 100_000 : 5_000;
const chunkSize = 1_000;
/** Fails at every attempt. */
const stubborn = boardId(20);

let pipeline: BoardPipeline;
beforeAll(async () => {
  pipeline = await openBoardPipeline(stack, {
    boards,
    // One change in twenty fails once, so that retry topics and parked rows are in use.
    sabotage({ data }, attempt) {
      if (data.id === stubborn) throw new Error('planted');
      if (attempt === 1 && data.updatedAt % 20 === 0) throw new Error('planted');
    },
  });
}, 120_000);
afterAll(() => pipeline.close(), 60_000);

const run = async (changes: { timeoutMs?: number } = {}): Promise<ConsumerAuditReport> => {
  const [report] = await auditConsumers({
    database: {
      host: stack.mysql.host,
      port: stack.mysql.port,
      user: 'audit',
      password: stack.passwords.audit,
    },
    kafka: { brokers: stack.brokers },
    connectUrl: stack.connectUrl,
    timeoutMs: 30_000,
    places: pipeline.places,
    chunkSize,
    ...changes,
  });
  return must(report, 'a report');
};

const onSource = (sql: string, values: unknown[]) => pipeline.pair.source.root.query(sql, values);
const onConsumer = (sql: string, values: unknown[]) =>
  pipeline.pair.consumer.root.query(sql, values);
const markOf = async (id: string): Promise<number> => {
  const [rows] = await onConsumer('SELECT version FROM mark WHERE aggregateid = ?', [id]);
  return (rows as unknown as [{ version: number }])[0].version;
};

/**
 * Edits boards and creates new ones, as fast as one writer can, until `work` is done; returns the
 * number of changes.
 */
async function underTraffic(work: () => Promise<void>): Promise<number> {
  let stopped = false;
  let changes = 0;
  const running = (async () => {
    // oxlint-disable-next-line no-unmodified-loop-condition -- it is, once the work is done
    while (!stopped) {
      changes += 1;
      await pipeline.change(
        changes % 5 === 0 ? randomUUIDv7() : boardId(1_000 + ((changes * 37) % 200)),
      );
    }
  })();
  try {
    await work();
  } finally {
    stopped = true;
    await running;
  }
  return changes;
}

describe('the audit of boards', () => {
  it('is clean while traffic flows', async () => {
    const changes = await underTraffic(async () => {
      for (let round = 1; round <= 3; round += 1) {
        const report = await run();
        expect(report).toMatchObject({ outcome: 'clean', cannotTell: undefined });
        expect(report.compared).toBeGreaterThanOrEqual(boards);
      }
    });
    expect(changes).toBeGreaterThan(100);
  }, 120_000);

  it('clears the missing ranges that were found before it began, when it is clean', async () => {
    const { consumer } = pipeline.pair;
    const missing = (at: number) => [
      pipeline.places.group,
      'board',
      at,
      `records ${at} to 9 were deleted`,
      Date.now(),
    ];
    await onConsumer(
      `INSERT INTO missing_range (consumer, topic, kafka_partition, from_offset, to_offset,
        reason, found_at) VALUES (?, ?, 0, ?, 9, ?, ?)`,
      missing(5),
    );
    // The mark of the inbox's own self-test: it belongs to no board.
    await onConsumer("INSERT INTO mark VALUES (?, 'board', 'inbox-probe', 3, 'probe')", [
      pipeline.places.group,
    ]);
    const { outcome, notes } = await run();
    expect([outcome, notes.at(-1)]).toEqual([
      'clean',
      'Cleared by this audit: records 5 to 9 were deleted.',
    ]);
    const [open] = await consumer.root.query(
      'SELECT * FROM missing_range WHERE cleared_at IS NULL',
    );
    expect(open).toEqual([]);
  });

  it('is clean after a purge, while traffic flows', async () => {
    const purged = 500;
    const young =
      'UPDATE outbox SET occurred_at = UTC_TIMESTAMP(6) WHERE aggregateid NOT BETWEEN ? AND ?';
    await onSource('SET SESSION sql_log_bin = OFF', []);
    await onSource(young, [boardId(501), boardId(500 + purged)]);
    await onSource('SET SESSION sql_log_bin = ON', []);
    const session = await openSession(pipeline.pair.source.connection);
    const { connect, places } = pipeline;
    const wait = { connect, mysql: session.query, connector: places.connector, timeoutMs: 20_000 };
    await underTraffic(async () => {
      const outcome = await purgeOutbox({
        session,
        findUnreceived: allReceived,
        awaitShipped: () => waitUntilShipped(wait),
        retentionMs: 3_600_000,
        signal: new AbortController().signal,
      });
      expect(outcome).toMatchObject({ kind: 'done', rows: purged });
      expect(await run()).toMatchObject({ outcome: 'clean', cannotTell: undefined });
    });
    await session.close();
  }, 120_000);

  it('does not call an event LOST that waits for its next attempt', async () => {
    await pipeline.change(stubborn);
    // The retry group passes this record while the audit waits; then it is in the next tier.
    const report = await run();
    // On a busy machine the audit may take longer than all of its attempts.
    const verdict = expect.stringMatching(/^(in flight|behind a dead letter)$/);
    expect(report.findings).toEqual([expect.objectContaining({ id: stubborn, verdict })]);
    expect(report).toMatchObject({ outcome: 'clean', cannotTell: undefined });
    await waitUntil(
      'a dead letter',
      async () => {
        const { findings } = await run();
        return findings.some(
          ({ id, verdict }) => id === stubborn && verdict === 'behind a dead letter',
        );
      },
      { timeoutMs: 50_000 },
    );
  });

  it('finds each planted difference with its verdict while traffic flows', async () => {
    const planted = {
      lost: boardId(1),
      neverApplied: boardId(2),
      ahead: boardId(3),
      content: boardId(4),
      deletion: boardId(5),
      conflict: boardId(6),
      // The only one of its chunk: no hash shows it.
      conflictDeadLetter: boardId(3_500),
      skipped: boardId(8),
      dead: boardId(9),
      entryGone: boardId(10),
      phantom: boardId(boards + 1),
      // Between two others, and again the only one of its chunk.
      entryWithoutMark: `${boardId(2_500).slice(0, -1)}x`,
      last: boardId(boards),
    };
    // Not in the binlog: these are no events.
    await onSource('SET SESSION sql_log_bin = OFF', []);
    await onSource('UPDATE board SET version = version + 1 WHERE id IN (?)', [
      [planted.lost, planted.last],
    ]);
    await onSource('SET SESSION sql_log_bin = ON', []);
    await onConsumer('DELETE FROM mark WHERE aggregateid = ?', [planted.neverApplied]);
    await onConsumer('DELETE FROM catalog WHERE id = ?', [planted.neverApplied]);
    await onConsumer('UPDATE mark SET version = version + 1 WHERE aggregateid = ?', [
      planted.ahead,
    ]);
    await onConsumer("UPDATE catalog SET title = CONCAT(title, '.') WHERE id = ?", [
      planted.content,
    ]);
    await onConsumer('UPDATE catalog SET deleted_at = NOW(3) WHERE id = ?', [planted.deletion]);
    await onConsumer("UPDATE mark SET event_id = 'another' WHERE aggregateid = ?", [
      planted.conflict,
    ]);
    await onConsumer(
      `INSERT INTO dead_letter (consumer, letter, aggregatetype, aggregateid, version, event_id,
        reason, attempts, error_class, error_message,
         topic, kafka_partition, kafka_offset, dlq_partition, dlq_offset, copies, first_failed_at,
           last_failed_at)
       VALUES (?, 'two', 'board', ?, 1, 'two', 'conflict', 1, '', '', 'board', 0, 0, 0, 0, 1, 0,
         0)`,
      [pipeline.group, planted.conflictDeadLetter],
    );
    await onConsumer("UPDATE catalog SET version = version - 1, title = 'before' WHERE id = ?", [
      planted.skipped,
    ]);
    await onConsumer(
      `INSERT INTO skipped SELECT consumer, aggregatetype, aggregateid, version, event_id, 'hand',
        'test', 0 FROM mark WHERE aggregateid = ?`,
      [planted.skipped],
    );
    await onConsumer('DELETE FROM catalog WHERE id = ?', [planted.entryGone]);
    await onConsumer(
      `INSERT INTO mark (consumer, aggregatetype, aggregateid, version, event_id)
        VALUES (?, 'board', ?, 1, 'x')`,
      [pipeline.group, planted.phantom],
    );
    await onConsumer(
      `INSERT INTO catalog SELECT ?, version, title, content, author, created_at, updated_at,
        deleted_at, 1 FROM catalog WHERE id = ?`,
      [planted.entryWithoutMark, boardId(11)],
    );
    // Poison, then a follower that parks behind it.
    const before = await markOf(planted.dead);
    await pipeline.change(planted.dead, { payload: Buffer.from('not Avro') });
    await pipeline.change(planted.dead);
    await waitUntil('a dead letter', async () => {
      const [rows] = await onConsumer('SELECT 1 FROM dead_letter WHERE aggregateid = ?', [
        planted.dead,
      ]);
      return (rows as unknown[]).length > 0;
    });

    let report: ConsumerAuditReport | undefined;
    const changes = await underTraffic(async () => {
      report = await run();
    });
    expect(changes).toBeGreaterThan(20);
    const findings = report?.findings ?? [];
    expect(report).toMatchObject({ outcome: 'red', cannotTell: undefined });
    expect(
      Object.fromEntries(
        findings
          .filter(({ verdict }) => verdict !== 'in flight')
          .map(({ id, verdict }) => [id, verdict]),
      ),
    ).toEqual({
      [planted.lost]: 'LOST',
      [planted.last]: 'LOST',
      [planted.neverApplied]: 'LOST',
      [planted.ahead]: 'AHEAD',
      [planted.content]: 'different',
      [planted.deletion]: 'different',
      [planted.conflict]: 'conflict',
      [planted.conflictDeadLetter]: 'conflict',
      [planted.skipped]: 'skipped',
      [planted.dead]: 'behind a dead letter',
      [stubborn]: 'behind a dead letter',
      [planted.entryGone]: 'different',
      [planted.phantom]: 'AHEAD',
      [planted.entryWithoutMark]: 'AHEAD',
    });
    expect(findings.find(({ id }) => id === planted.dead)).toMatchObject({
      version: before + 2,
      mark: before,
    });
  }, 120_000);

  it('cannot tell while the connector is stopped', async () => {
    await pipeline.connect.stop(pipeline.places.connector);
    // A task that is being stopped may still ship for a moment.
    const id = await waitUntil('a board that is not shipped', async () => {
      const id = randomUUIDv7();
      await pipeline.change(id);
      const { cannotTell, counts, findings, outcome } = await run({ timeoutMs: 1_500 });
      expect(counts.LOST).toBe(0);
      const isUnknown = findings.some(
        (finding) => finding.id === id && finding.verdict === 'cannot tell',
      );
      // The planted differences stay red although the rest cannot be compared.
      return (
        outcome === 'red' &&
        cannotTell?.includes(pipeline.places.connector) === true &&
        isUnknown &&
        id
      );
    });

    await pipeline.connect.resume(pipeline.places.connector);
    const later = await run();
    expect(later.cannotTell).toBeUndefined();
    expect(later.findings.find((finding) => finding.id === id)).toBeUndefined();
    expect(later.counts.LOST).toBe(3);
  });

  it('cannot tell while the consumer is stopped', async () => {
    await pipeline.stopConsumer();
    await pipeline.change(randomUUIDv7());
    const report = await run({ timeoutMs: 6_000 });
    expect(report.cannotTell).toContain(`the group ${pipeline.group} has 1 records`);
    expect(report.counts).toMatchObject({ LOST: 0, 'cannot tell': 4 });
  });
});
