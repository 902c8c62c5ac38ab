import { waitUntil } from '@board/test';

export interface Sent {
  readonly status: number;
  readonly body: string;
  /** The answer was kept from an earlier try. */
  readonly isRepeated: boolean;
  readonly tries: number;
}

/** A correct client: it repeats a request with the same key until the answer is final. */
export async function sendUntilAnswered(
  currentUrl: () => string,
  request: {
    readonly method: string;
    readonly path: string;
    readonly body?: unknown;
    readonly key: string;
  },
): Promise<Sent> {
  let tries = 0;
  let sent: Sent | undefined;
  await waitUntil(
    `an answer to ${request.method} ${request.path}`,
    async () => {
      tries += 1;
      const answer = await send(currentUrl(), request).catch(() => undefined);
      if (answer === undefined || answer.status === 503 || answer.status === 409) return false;
      sent = { ...answer, tries };
      return true;
    },
    { timeoutMs: 40_000, everyMs: 100 },
  );
  if (!sent) throw new Error('no answer');
  return sent;
}

async function send(
  url: string,
  { method, path, body, key }: { method: string; path: string; body?: unknown; key: string },
): Promise<Omit<Sent, 'tries'>> {
  const response = await fetch(url + path, {
    method,
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: text,
    isRepeated: response.headers.has('idempotency-replayed'),
  };
}
