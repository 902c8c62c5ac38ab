import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';

interface Counts {
  readonly committed: number;
  /** 503 and 409: to be sent again. */
  readonly refused: number;
  readonly unanswered: number;
}

export interface Clients {
  /** The version of each board that its last answer said; a copy. */
  ledger(): Map<string, number>;
  counts(): Counts;
  /**
   * No new commands; resolves when those under way have their answers, rejects when one was an
   * unexpected one.
   */
  stop(): Promise<void>;
}

interface Board {
  readonly id: string;
  readonly version: number;
}

/**
 * Clients that post a board, edit it twice and begin again; a command without a final answer is sent
 * again with its key.
 */
export function runClients(orderServiceUrl: string, clientCount: number): Clients {
  const ledger = new Map<string, number>();
  const counts = { committed: 0, refused: 0, unanswered: 0 };
  const stopping = new AbortController();

  async function command(method: 'POST' | 'PATCH', path: string, body: object): Promise<Board> {
    const request = {
      method,
      headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: JSON.stringify(body),
    };
    for (;;) {
      const answer = await send(`${orderServiceUrl}${path}`, request);
      if (answer === undefined) counts.unanswered += 1;
      else if (answer.status === 503 || answer.status === 409) counts.refused += 1;
      else if (answer.status !== 200 && answer.status !== 201)
        throw new Error(`${method} ${path} answered ${answer.status}: ${answer.text}`);
      else {
        const board = JSON.parse(answer.text) as Board;
        counts.committed += 1;
        ledger.set(board.id, board.version);
        return board;
      }
      await wait(200);
    }
  }

  async function client(number: number): Promise<void> {
    for (let round = 1; !stopping.signal.aborted; round += 1) {
      const title = `글 ${number}.${round}`;
      const { id } = await command('POST', '/boards', {
        title,
        content: '여러 호스트',
        author: `작가 ${round % 9}`,
      });
      for (const edit of ['!', '!!'])
        await command('PATCH', `/boards/${id}`, { title: title + edit });
      // The load's pace; nothing waits for it.
      await wait(100);
    }
  }

  const running = Promise.all(Array.from({ length: clientCount }, (_, index) => client(index + 1)));
  // A failure is thrown by stop().
  running.catch(() => undefined);
  return {
    ledger: () => new Map(ledger),
    counts: () => ({ ...counts }),
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

async function send(
  url: string,
  request: RequestInit,
): Promise<{ status: number; text: string } | undefined> {
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(10_000) });
    return { status: response.status, text: await response.text() };
  } catch {
    return undefined;
  }
}
