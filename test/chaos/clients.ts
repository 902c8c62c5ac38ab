import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { seededRandom, type Random } from '../../packages/inbox/test/support/random.ts';
import type { AnsweredBoard, Attempt, ClientOperation, Outcome } from './history.ts';
import type { Ledger } from './ledger.ts';
import { isFinal, outcomeOf } from './outcome.ts';

export interface ClientsOptions {
  readonly orderServiceUrl: string;
  readonly clients: number;
  readonly seed: number;
  readonly titlePrefix: string;
  readonly ledger: Ledger;
}

export interface Clients {
  /**
   * No new commands; resolves when those under way have their answer, or after `patienceMs` without
   * one.
   */
  stop(patienceMs: number): Promise<void>;
  /**
   * A board that is created after everything else; its id, null when none could be created in time.
   */
  createLast(timeoutMs: number): Promise<string | null>;
}

/** What is chosen before a command is sent. */
type Command = Pick<
  ClientOperation,
  'kind' | 'boardId' | 'title' | 'content' | 'author' | 'ifVersion'
>;

const answerWithinMs = 10_000;
const createdShare = 0.3;
const deletedShare = 0.12;
/** Of the edits: sent with the version that the client saw last. */
const demandedShare = 0.25;
/**
 * Of all commands: sent once, and not again when no answer comes; or again although the answer
 * came.
 */
const abandonedShare = 0.03;
const doubledShare = 0.03;

/**
 * Clients that create, edit and delete boards, several of them the same ones, each command with its
 * Idempotency-Key; what was not answered is sent again with its key until it is. Every request is
 * in the ledger before it is sent.
 */
export function startClients({
  orderServiceUrl,
  clients,
  seed,
  titlePrefix,
  ledger,
}: ClientsOptions): Clients {
  const stopping = new AbortController();
  const givingUp = new AbortController();
  /**
   * Versions of the boards that are not known to be deleted, as the last answer to any client said.
   */
  const live = new Map<string, number>();
  let titles = 0;

  function choose(random: Random): Command {
    const title = `${titlePrefix} ${(titles += 1)} 글`;
    const content = `내용 ${'가'.repeat(random.below(200))}`;
    const share = random.fraction();
    const boardId = random.pick([...live.keys()].slice(-500)) ?? null;
    if (boardId === null || share < createdShare)
      return {
        kind: 'create',
        boardId: null,
        title,
        content,
        author: pickAuthor(random),
        ifVersion: null,
      };
    const ifVersion = random.chance(demandedShare) ? (live.get(boardId) ?? null) : null;
    if (share < 1 - deletedShare)
      return {
        kind: 'edit',
        boardId,
        title,
        content: random.chance(0.5) ? content : null,
        author: null,
        ifVersion,
      };
    return { kind: 'delete', boardId, title: null, content: null, author: null, ifVersion };
  }

  async function perform(
    client: number,
    command: Command,
    { isAbandoned = false, isDoubled = false } = {},
  ) {
    const key = randomUUID();
    let operation: ClientOperation = {
      key,
      client,
      ...command,
      attempts: [],
      isAbandoned,
      outcome: { kind: 'unknown' },
    };
    const note = (attempts: readonly Attempt[], outcome: Outcome): void => {
      operation = { ...operation, attempts, outcome };
      ledger.operation(operation);
    };
    const attempt = async (): Promise<Answer> => {
      const before = operation.attempts;
      const sentAt = Date.now();
      note([...before, { sentAt, endedAt: null, result: null }], operation.outcome);
      const answer = await send(orderServiceUrl, key, command);
      const attempts = [...before, { sentAt, endedAt: Date.now(), result: answer.result }];
      // The first answer stays; whether a repeat got the same one is for the checker.
      note(
        attempts,
        operation.outcome.kind === 'ok' ? operation.outcome : outcomeOf(attempts, answer.board),
      );
      return answer;
    };
    for (;;) {
      const { result } = await attempt();
      if (isFinal(result) || isAbandoned || givingUp.signal.aborted) break;
      await wait(200, undefined, { signal: givingUp.signal }).catch(() => undefined);
    }
    if (isDoubled && operation.outcome.kind === 'ok') await attempt();
    updateLive(operation);
    return operation;
  }

  function updateLive({ kind, boardId, outcome }: ClientOperation): void {
    if (outcome.kind === 'ok' && outcome.board !== null) {
      const { id, version } = outcome.board;
      if (kind === 'create' || live.has(id)) live.set(id, Math.max(version, live.get(id) ?? 0));
    } else if (boardId !== null && (kind === 'delete' || isGone(outcome))) live.delete(boardId);
  }

  async function run(client: number): Promise<void> {
    const random = seededRandom(seed * 1_000 + client);
    while (!stopping.signal.aborted) {
      const share = random.fraction();
      const isAbandoned = share < abandonedShare;
      const isDoubled = share > 1 - doubledShare;
      await perform(client, choose(random), { isAbandoned, isDoubled });
      await wait(random.below(400), undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  const running = Promise.all(Array.from({ length: clients }, (_, index) => run(index + 1)));
  // A failure is thrown by stop().
  running.catch(() => undefined);

  return {
    async stop(patienceMs) {
      stopping.abort();
      const timer = setTimeout(() => givingUp.abort(), patienceMs);
      await running.finally(() => clearTimeout(timer));
    },
    async createLast(timeoutMs) {
      const endsAt = Date.now() + timeoutMs;
      const [title, content] = [`${titlePrefix} last`, ''];
      for (let tries = 1; ; tries += 1) {
        const { outcome } = await perform(
          clients + 1,
          {
            kind: 'create',
            boardId: null,
            title: `${title} ${tries}`,
            content,
            author: null,
            ifVersion: null,
          },
          { isAbandoned: true },
        );
        if (outcome.kind === 'ok' && outcome.board !== null) return outcome.board.id;
        if (Date.now() >= endsAt) return null;
        await wait(500);
      }
    },
  };
}

function pickAuthor(random: Random): string | null {
  return random.chance(0.2) ? null : `작가 ${random.below(7)}`;
}

function isGone(outcome: Outcome): boolean {
  return outcome.kind === 'refused' && (outcome.status === 404 || outcome.status === 410);
}

interface Answer {
  readonly result: NonNullable<Attempt['result']>;
  readonly board: AnsweredBoard | null;
}

async function send(orderServiceUrl: string, key: string, command: Command): Promise<Answer> {
  const { kind, boardId, title, content, author, ifVersion } = command;
  const body = {
    ...(title !== null && { title }),
    ...(content !== null && { content }),
    ...(author !== null && { author }),
  };
  try {
    const response = await fetch(
      `${orderServiceUrl}/boards${boardId === null ? '' : `/${boardId}`}`,
      {
        method: { create: 'POST', edit: 'PATCH', delete: 'DELETE' }[kind],
        headers: {
          'Idempotency-Key': key,
          ...(kind !== 'delete' && { 'Content-Type': 'application/json' }),
          ...(ifVersion !== null && { 'If-Match': `"${ifVersion}"` }),
        },
        ...(kind !== 'delete' && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(answerWithinMs),
      },
    );
    const text = await response.text();
    const { status } = response;
    const digest = createHash('sha256').update(text).digest('hex');
    if (response.ok)
      return { result: { kind: 'answered', status, detail: null, digest }, board: toBoard(text) };
    return { result: { kind: 'answered', status, detail: detailOf(text), digest }, board: null };
  } catch (error) {
    return { result: { kind: 'failed', error: codeOf(error) }, board: null };
  }
}

type Times = 'createdAt' | 'updatedAt';

/** What an answer says of the board; null where it says nothing. */
export function toBoard(text: string): AnsweredBoard | null {
  try {
    const board = JSON.parse(text) as Omit<AnsweredBoard, Times> & Record<Times, string>;
    const { id, version, title, content, author, createdAt, updatedAt } = board;
    return {
      id,
      version,
      title,
      content,
      author,
      createdAt: Date.parse(createdAt),
      updatedAt: Date.parse(updatedAt),
    };
  } catch {
    return null;
  }
}

function detailOf(text: string): string | null {
  try {
    return (JSON.parse(text) as { detail?: string }).detail ?? null;
  } catch {
    return text.slice(0, 200);
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause === undefined ? error.name : codeOf(error.cause);
}
