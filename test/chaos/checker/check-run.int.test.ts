import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniqueName, waitUntil, type StackAddresses } from '@board/test';
import { createConnection } from 'mysql2/promise';
import { beforeAll, expect, inject, test } from 'vitest';
import type {
  AnsweredBoard,
  Attempt,
  ClientOperation,
  History,
  LedgerLine,
  Outcome,
} from '../history.ts';
import type { Evidence } from './evidence.ts';
import { toBoard } from '../clients.ts';
import { collectEvidence } from './collect-evidence.ts';
import { checkRun } from './check-run.ts';
import { readLedger } from './read-ledger.ts';
import type { DatabaseAddress } from './read-databases.ts';

const stack = inject('stack');
const prefix = `${uniqueName('checked')} `;
const { host, port, rootPassword: password } = stack.mysql;
const mysql: DatabaseAddress = {
  host,
  port,
  user: 'root',
  password,
  orders: 'order_service',
  catalog: 'catalog_service',
};

let history: History;
let evidence: Evidence;

/**
 * One small run on the stack that every test shares: other boards and other people's records are in
 * it as well.
 */
beforeAll(async () => {
  const ran = await runClients(stack);
  const lastFaultEndedAt = Date.now();
  await untilApplied(ran);
  history = {
    ...ran,
    run: {
      ...ran.run,
      quiescence: { lastFaultEndedAt, quietAt: Date.now(), allowedMs: 90_000, failedMs: 0 },
    },
  };
  evidence = await collectEvidence({ mysql, brokers: stack.brokers });
}, 240_000);

test('what clients did to a running stack has no violation', () => {
  expect(checkRun(history, evidence)).toEqual([]);
});

test('what the checker read is what the clients wrote', () => {
  const own = new Set(
    history.operations.flatMap(({ outcome }) =>
      outcome.kind === 'ok' ? (outcome.board?.id ?? []) : [],
    ),
  );
  expect(own.size).toBe(2);
  const ofRun = <Row extends { readonly boardId: string }>(rows: readonly Row[]): Row[] =>
    rows.filter(({ boardId }) => own.has(boardId));
  expect(ofRun(evidence.outbox).map(({ type, version }) => `${type} ${version}`)).toEqual([
    'BoardCreated 1',
    'BoardCreated 1',
    'BoardEdited 2',
    'BoardDeleted 3',
  ]);
  expect(
    evidence.source.filter(({ headers }) => own.has(headers['aggregateId'] ?? '')).length,
  ).toBeGreaterThanOrEqual(4);
  expect(
    evidence.catalog
      .filter(({ id }) => own.has(id))
      .map(({ appliedCount }) => appliedCount)
      .toSorted(),
  ).toEqual([1, 3]);
  const positions = evidence.groups.map(
    ({ group, topic, partition }) => `${group} ${topic}/${partition}`,
  );
  expect(positions).toContain('catalog-service board/0');
  expect(positions).toContain('catalog-service.retry catalog-service.retry.3/2');
});

test('each table and topic is read: without any of them the same run has violations', () => {
  const broken = (changes: Partial<Evidence>): string[] => [
    ...new Set(checkRun(history, { ...evidence, ...changes }).map(({ rule }) => rule)),
  ];
  expect(broken({ boards: [] })).toEqual(['a board is what its last event says']);
  expect(broken({ catalog: [] })).toEqual(['a catalog row is its board']);
  expect(broken({ marks: [] })).toContain('the mark is the version of the board');
  expect(broken({ source: [] })).toEqual(['every outbox row is in the topic']);
  expect(broken({ outbox: [] })).toContain('an acknowledged command is committed');
});

interface Asked {
  readonly kind: ClientOperation['kind'];
  readonly board: AnsweredBoard | null;
  readonly text: {
    readonly title: string;
    readonly content?: string;
    readonly author?: string;
  } | null;
  readonly ifVersion?: number;
  /** Sent twice, with one key. */
  readonly isRepeated?: true;
}

/** Creates, edits, deletes and repeats over HTTP, and writes the ledger as a chaos run does. */
async function runClients({ orderServiceUrl }: StackAddresses): Promise<History> {
  const run = {
    seed: 0,
    startedAt: Date.now(),
    titlePrefix: prefix,
    alone: false,
    attempts: 4,
    quiescence: null,
  };
  const lines: LedgerLine[] = [{ line: 'run', run }];

  async function ask({
    kind,
    board,
    text,
    ifVersion,
    isRepeated,
  }: Asked): Promise<AnsweredBoard | null> {
    const key = randomUUID();
    const attempts: Attempt[] = [];
    let outcome: Outcome = { kind: 'unknown' };
    for (let attempt = 0; attempt < (isRepeated ? 2 : 1); attempt += 1) {
      const sentAt = Date.now();
      const response = await fetch(`${orderServiceUrl}/boards${board ? `/${board.id}` : ''}`, {
        method: { create: 'POST', edit: 'PATCH', delete: 'DELETE' }[kind],
        headers: {
          'Idempotency-Key': key,
          ...(text && { 'Content-Type': 'application/json' }),
          ...(ifVersion !== undefined && { 'If-Match': `"${ifVersion}"` }),
        },
        ...(text && { body: JSON.stringify(text) }),
      });
      const body = await response.text();
      const { status } = response;
      attempts.push({
        sentAt,
        endedAt: Date.now(),
        result: { kind: 'answered', status, detail: null, digest: body },
      });
      outcome = response.ok ? { kind: 'ok', board: toBoard(body) } : { kind: 'refused', status };
    }
    const sent = {
      title: text?.title ?? null,
      content: text?.content ?? null,
      author: text?.author ?? null,
    };
    const asked = {
      key,
      client: 1,
      kind,
      boardId: board?.id ?? null,
      ...sent,
      ifVersion: ifVersion ?? null,
    };
    lines.push({
      line: 'operation',
      operation: { ...asked, attempts, isAbandoned: false, outcome },
    });
    return outcome.kind === 'ok' ? outcome.board : null;
  }

  const author = uniqueName('author');
  const create = (title: string) =>
    ({
      kind: 'create',
      board: null,
      text: { title: prefix + title, content: '내용', author },
    }) as const;
  const board = await ask({ ...create('하나'), isRepeated: true });
  await ask(create('둘\u2028'));
  await ask({ kind: 'edit', board, text: { title: `${prefix}셋` }, ifVersion: 1 });
  await ask({ kind: 'edit', board, text: { title: `${prefix}넷`, content: '' }, ifVersion: 1 });
  await ask({ kind: 'delete', board, text: null, isRepeated: true });
  await ask({ kind: 'delete', board, text: null });
  const folder = mkdtempSync(join(tmpdir(), 'checked-'));
  try {
    const file = join(folder, 'ledger.jsonl');
    writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return await readLedger(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Resolves once catalog-service has every board of the run at its version. */
async function untilApplied({ operations }: History): Promise<void> {
  const ids = operations.flatMap(({ outcome }) =>
    outcome.kind === 'ok' ? (outcome.board?.id ?? []) : [],
  );
  const connection = await createConnection({ host, port, user: 'root', password });
  try {
    await waitUntil('the boards in the catalog', async () => {
      const [rows] = await connection.query(
        `SELECT 1 FROM order_service.board JOIN catalog_service.catalog USING (id, version) WHERE id IN (?)`,
        [ids],
      );
      return (rows as unknown[]).length === new Set(ids).size;
    });
  } finally {
    connection.destroy();
  }
}
