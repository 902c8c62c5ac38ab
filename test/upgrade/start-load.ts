import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { waitUntil } from '@board/test';

const clients = 4;
const thinkMs = 30;

export interface Load {
  /** The version up to which each board was acknowledged, by id, in the order of creation. */
  readonly boards: ReadonlyMap<string, number>;
  /** Every request whose answer was not the wanted one. */
  readonly failures: readonly string[];
  answered(): number;
  /** Waits for that many answers more. */
  reachMore(answers: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Clients that post, edit, delete and read boards one request after the other, and repeat nothing.
 */
export function startLoad(orderUrl: string, catalogUrl: string): Load {
  const boards = new Map<string, number>();
  const failures: string[] = [];
  const stopping = new AbortController();
  let answered = 0;

  async function ask(
    wanted: number,
    method: string,
    url: string,
    { body, ifMatch }: { body?: object; ifMatch?: string } = {},
  ) {
    await wait(thinkMs);
    const response = await fetch(url, {
      method,
      headers: {
        ...(method !== 'GET' && { 'Idempotency-Key': randomUUID() }),
        ...(body && { 'Content-Type': 'application/json' }),
        ...(ifMatch !== undefined && { 'If-Match': ifMatch }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status !== wanted) throw new Error(`${method} ${url}: ${response.status} ${text}`);
    answered += 1;
    return { text, etag: response.headers.get('etag') ?? '' };
  }

  async function postEditDelete(n: number): Promise<void> {
    const created = await ask(201, 'POST', `${orderUrl}/boards`, {
      body: { title: `글 ${n}`, content: '내용' },
    });
    const { id } = JSON.parse(created.text) as { id: string };
    const url = `${orderUrl}/boards/${id}`;
    boards.set(id, 1);
    const { etag } = await ask(200, 'PATCH', url, { body: { title: `고친 글 ${n}` } });
    boards.set(id, 2);
    await ask(200, 'PATCH', url, { body: { content: '고친 내용' }, ifMatch: etag });
    boards.set(id, 3);
    await ask(200, 'GET', url);
    await ask(200, 'GET', `${catalogUrl}/created-per-day`);
    if (n % 3 > 0) return;
    await ask(204, 'DELETE', url);
    boards.set(id, 4);
  }

  const running = Array.from({ length: clients }, async (_, client) => {
    for (let n = client; !stopping.signal.aborted; n += clients)
      await postEditDelete(n).catch((error: unknown) => failures.push(describe(error)));
  });

  return {
    boards,
    failures,
    answered: () => answered,
    async reachMore(answers) {
      const wanted = answered + answers;
      await waitUntil(`${answers} more answers`, () => answered >= wanted, { timeoutMs: 60_000 });
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}
