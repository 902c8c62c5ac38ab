import { once } from 'node:events';
import {
  Agent,
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';

const probeEveryMs = 100;
const probeTimeoutMs = 1_000;

/**
 * How long after a red `/readyz` the balancer still sends requests: three probes, of which the first
 * may just have begun.
 */
export const stopsSendingWithinMs = 3 * (probeEveryMs + probeTimeoutMs);

/**
 * Less than the 5 s after which the services close an idle connection: a request would meet the end
 * of it.
 */
const idleMs = 2_000;

export interface Balancer {
  readonly url: string;
  /**
   * From now on the instance gets requests, in turn with the others, while its `/readyz` answers
   * 200.
   */
  add(instanceUrl: string): void;
  gives(instanceUrl: string): boolean;
  close(): Promise<void>;
}

/**
 * A usual load balancer: it knows of its instances only what `/readyz` says, keeps
 * connections to them, and sends a request again only when the connection was refused, so that no
 * byte of it can have been taken.
 */
export async function startBalancer(): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true, timeout: idleMs });
  const ready = new Map<string, boolean>();
  const closing = new AbortController();
  const probing: Promise<void>[] = [];
  let turn = 0;

  async function probe(url: string): Promise<void> {
    while (!closing.signal.aborted) {
      const isReady = await isReadyNow(url);
      if (isReady !== 'unknown') ready.set(url, isReady);
      await wait(probeEveryMs);
    }
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const urls = [...ready.keys()].filter((url) => ready.get(url));
    turn += 1;
    for (const [index] of urls.entries()) {
      const url = urls[(turn + index) % urls.length] ?? '';
      try {
        const answer = await send(url, incoming, body);
        response.writeHead(answer.statusCode ?? 500, endToEnd(answer.headers));
        await pipeline(answer, response);
        return;
      } catch (error) {
        if (isRefused(error)) continue;
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end(`${url}: ${String(error)}`);
        return;
      }
    }
    response.writeHead(503).end('no instance is ready');
  }

  async function send(
    url: string,
    { method, url: path, headers }: IncomingMessage,
    body: Buffer,
  ): Promise<IncomingMessage> {
    const outgoing = request(`${url}${path}`, { method, agent, headers: endToEnd(headers) }).end(
      body,
    );
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    return answer;
  }

  const server = createServer((incoming, response) => void serve(incoming, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add: (url) => void probing.push(probe(url)),
    gives: (url) => ready.get(url) === true,
    async close() {
      closing.abort();
      await Promise.all(probing);
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      agent.destroy();
    },
  };
}

/**
 * A probe that is not answered in time says nothing: on a busy machine the probe itself may be
 * slow.
 */
async function isReadyNow(url: string): Promise<boolean | 'unknown'> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(probeTimeoutMs) });
    await answer.body?.cancel();
    return answer.status === 200;
  } catch (error) {
    return error instanceof Error && error.name === 'TimeoutError' ? 'unknown' : false;
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}

/** Without the headers that are about one connection. */
function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...rest } = headers;
  return rest;
}
