import { createHash } from 'node:crypto';
import type { Answer } from '@board/service/testing';
import { parseIdempotencyKey } from '../../../src/http/requests.ts';
import type { Sent } from './to-bytes.ts';

/**
 * What a fuzz run has learned from the answers so far: later requests refer to it, and the end is
 * compared with it.
 */
export interface World {
  /** The id of some board that was created; a made-up one before the first. */
  board(choice: number): string;
  /** The id of some comment, as above. */
  comment(choice: number): string;
  version(choice: number): number;
  cursor(choice: number): string;
  /** Called before a request goes out: its key may be used from then on. */
  note(sent: Sent): void;
  learn(sent: Sent, answer: Answer): void;
  readonly keys: ReadonlySet<string>;
  /** Of each board the newest state that an answer showed. */
  readonly told: ReadonlyMap<string, Told>;
  /** The body of each answer 2xx that was given to a key, repeats too. */
  readonly keyed: readonly {
    readonly key: string;
    readonly status: number;
    readonly body: string;
  }[];
  readonly answers: Readonly<Record<number, number>>;
}

interface Told {
  readonly version: number;
  readonly digest: string;
}

interface Texts {
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
}

const remembered = 300;

export function createWorld(): World {
  const boards: { readonly id: string; version: number }[] = [];
  const comments: string[] = [];
  const cursors: string[] = [];
  const told = new Map<string, Told>();
  const keyed: { key: string; status: number; body: string }[] = [];
  const answers: Record<number, number> = {};
  const keys = new Set<string>();
  const keep = <Item>(list: Item[], item: Item): void => {
    if (list.length < remembered) list.push(item);
    else list[told.size % remembered] = item;
  };
  const unknown = { id: '019b0000-0000-7000-8000-000000000001', version: 1 };
  const pick = (choice: number) => boards[choice % Math.max(boards.length, 1)] ?? unknown;

  return {
    board: (choice) => pick(choice).id,
    comment: (choice) => comments[choice % Math.max(comments.length, 1)] ?? unknown.id,
    version: (choice) => pick(choice).version,
    cursor: (choice) => cursors[choice % Math.max(cursors.length, 1)] ?? '',
    note({ headers }) {
      const key = keyOf(headers);
      if (key !== undefined) keys.add(key);
    },
    learn({ method, headers }, answer) {
      answers[answer.status] = (answers[answer.status] ?? 0) + 1;
      if (answer.status >= 300 || answer.headers['x-request-id'] === undefined) return;
      const key = keyOf(headers);
      const isWrite = answer.status === 201 || ['PATCH', 'DELETE'].includes(method);
      if (isWrite && key !== undefined)
        keyed.push({ key, status: answer.status, body: answer.text });
      if (answer.text === '' || !answer.headers['content-type']?.startsWith('application/json'))
        return;
      const body = answer.json() as Partial<Texts> & {
        id?: string;
        version?: number;
        boardId?: string;
        next?: string | null;
      };
      if (typeof body.next === 'string') keep(cursors, body.next);
      if (body.id === undefined || body.version === undefined) return;
      const { id, version } = body;
      if (body.boardId !== undefined) return comments.includes(id) ? undefined : keep(comments, id);
      if (version > (told.get(id)?.version ?? 0))
        told.set(id, { version, digest: digestOf(body as Texts) });
      const known = boards.find((one) => one.id === id);
      if (known) known.version = Math.max(known.version, version);
      else if (answer.status === 201) keep(boards, { id, version });
    },
    told,
    keys,
    keyed,
    answers,
  };
}

function keyOf(headers: Sent['headers']): string | undefined {
  const given = headers
    .filter(([name]) => name.toLowerCase() === 'idempotency-key')
    .map(([, value]) => value.trim());
  return given.length === 0 ? undefined : parseIdempotencyKey(given.join(', '));
}

/** Contents are long: a digest is enough to detect a difference. */
export function digestOf({ title, content, author }: Texts): string {
  return createHash('sha256')
    .update(JSON.stringify([title, content, author]))
    .digest('base64');
}
