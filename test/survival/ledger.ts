import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

/** What a board must be by the operations that were answered with success. */
export interface LedgerBoard {
  readonly id: string;
  version: number;
  title: string;
  content: string;
  isDeleted: boolean;
  /** An operation on it whose outcome is not known: the board is left alone from then on. */
  unknown?: { readonly title: string } | 'deleted';
}

/** `ok` was done, `fail` was not; of `info` it is not known. */
type Outcome = 'ok' | 'fail' | 'info';

export interface Ledger {
  readonly boards: ReadonlyMap<string, LedgerBoard>;
  /** Titles of boards whose creation failed, and of edits that failed: none of them may exist. */
  readonly failedTitles: ReadonlySet<string>;
  readonly counts: Readonly<Record<Outcome, number>>;
  /** What was answered instead of success, and how often. */
  readonly answers: ReadonlyMap<string, number>;
  /** Resolves when every operation that was begun has ended. */
  stop(): Promise<void>;
}

const everyMs = 200;
const patienceMs = 15_000;
const created = 0.4;
const deleted = 0.15;

/**
 * Creates, edits and deletes boards at a steady rate, also while earlier operations fail;
 * repeats none.
 */
export function startTraffic(orderServiceUrl: string): Ledger {
  const boards = new Map<string, LedgerBoard>();
  const idle = new Set<LedgerBoard>();
  const failedTitles = new Set<string>();
  const counts = { ok: 0, fail: 0, info: 0 };
  const answers = new Map<string, number>();
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  let operations = 0;

  async function ask(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ outcome: Outcome; json: unknown }> {
    const { outcome, answer, json } = await send(`${orderServiceUrl}${path}`, method, body);
    counts[outcome] += 1;
    if (outcome !== 'ok') answers.set(answer, (answers.get(answer) ?? 0) + 1);
    return { outcome, json };
  }

  async function create(title: string, content: string): Promise<void> {
    const { outcome, json } = await ask('POST', '/boards', {
      title,
      content,
      author: `author-${operations % 7}`,
    });
    if (outcome === 'fail') failedTitles.add(title);
    if (outcome !== 'ok') return;
    const { id } = json as { id: string };
    const board = { id, version: 1, title, content, isDeleted: false };
    boards.set(id, board);
    idle.add(board);
  }

  async function edit(board: LedgerBoard, title: string, content: string): Promise<void> {
    const { outcome } = await ask('PATCH', `/boards/${board.id}`, { title, content });
    if (outcome === 'fail') failedTitles.add(title);
    else if (outcome === 'info') board.unknown = { title };
    else Object.assign(board, { version: board.version + 1, title, content });
    if (outcome !== 'info') idle.add(board);
  }

  async function remove(board: LedgerBoard): Promise<void> {
    const { outcome } = await ask('DELETE', `/boards/${board.id}`);
    if (outcome === 'fail') idle.add(board);
    else if (outcome === 'info') board.unknown = 'deleted';
    else Object.assign(board, { version: board.version + 1, isDeleted: true });
  }

  /** One operation on a board at a time: its versions follow from the answers. */
  function operate(): Promise<void> {
    operations += 1;
    const [title, content] = [
      `글 ${operations}`,
      `내용 ${operations} ${'가'.repeat(operations % 200)}`,
    ];
    const chance = Math.random();
    const candidates = [...idle];
    const board = candidates[Math.floor(Math.random() * candidates.length)];
    if (board === undefined || chance < created) return create(title, content);
    idle.delete(board);
    return chance < 1 - deleted ? edit(board, title, content) : remove(board);
  }

  async function keepOperating(): Promise<void> {
    while (!stopping.signal.aborted) {
      const operation = operate();
      running.add(operation);
      void operation.finally(() => running.delete(operation));
      await wait(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  const loop = keepOperating();
  return {
    boards,
    failedTitles,
    counts,
    answers,
    async stop() {
      stopping.abort();
      await loop;
      await Promise.all(running);
    },
  };
}

interface Answer {
  readonly outcome: Outcome;
  readonly answer: string;
  readonly json?: unknown;
}

async function send(url: string, method: string, body?: object): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method,
      headers: {
        'Idempotency-Key': randomUUID(),
        ...(body && { 'Content-Type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(patienceMs),
    });
    const text = await response.text();
    if (response.ok)
      return { outcome: 'ok', answer: String(response.status), json: text && JSON.parse(text) };
    const { detail = text } = JSON.parse(text) as { detail?: string };
    // A 503 may come after a COMMIT whose answer was lost, unless it says that it does not.
    const wasNotDone = response.status < 500 || detail.endsWith('So it was not done.');
    return {
      outcome: wasNotDone ? 'fail' : 'info',
      answer: `${method} ${response.status} ${detail}`,
    };
  } catch (error) {
    const code = codeOf(error);
    return { outcome: code === 'ECONNREFUSED' ? 'fail' : 'info', answer: `${method} ${code}` };
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause === undefined ? error.name : codeOf(error.cause);
}
