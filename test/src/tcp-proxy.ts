import { once } from 'node:events';
import { createServer, Socket, type AddressInfo } from 'node:net';

/** What the proxy does to every connection, those that are open and those to come. */
export type Fault =
  | { readonly kind: 'none' }
  /** Open connections end, new ones are refused as soon as they are made. */
  | { readonly kind: 'cut' }
  /** Like `cut`, with a TCP reset. */
  | { readonly kind: 'reset' }
  /**
   * Bytes vanish in the named direction, connections stay open: a dead link that neither side has noticed.
   */
  | { readonly kind: 'half-open'; readonly drop: 'both' | 'to-server' | 'to-client' }
  /** Chunks to the server that hold this text vanish: a statement that is never answered. */
  | { readonly kind: 'swallow'; readonly text: string }
  /** Every chunk waits this long, in order. */
  | { readonly kind: 'delay'; readonly ms: number };

export interface TcpProxy {
  readonly host: string;
  readonly port: number;
  set(fault: Fault): void;
  /** New connections lead elsewhere from now on; open ones stay where they are. */
  redirect(target: { host: string; port: number }): void;
  /** Connections that clients hold through it now. */
  connections(): number;
  /**
   * How often the fault that was set last has met a connection: ended or refused it, dropped or
   * delayed its bytes.
   */
  hits(): number;
  close(): Promise<void>;
}

/** A proxy between any two parts, on a free port of the loopback. */
export async function startTcpProxy(first: { host: string; port: number }): Promise<TcpProxy> {
  const pairs = new Set<{ client: Socket; server: Socket }>();
  let target = first;
  let fault: Fault = { kind: 'none' };
  let hits = 0;

  const listener = createServer((client) => {
    if (fault.kind === 'cut' || fault.kind === 'reset') {
      hits += 1;
      end(client, fault.kind);
      return;
    }
    const server = new Socket();
    const [toServer, toClient] = [createDelayLine(server), createDelayLine(client)];
    const pair = { client, server };
    pairs.add(pair);
    const close = (): void => {
      pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    client.on('error', close).on('close', close);
    server.on('error', close).on('close', close);
    server.connect(target.port, target.host);
    client.on('data', (chunk) => pass(chunk, toServer, 'to-server'));
    server.on('data', (chunk) => pass(chunk, toClient, 'to-client'));
  });

  function pass(chunk: Buffer, to: DelayLine, direction: 'to-server' | 'to-client'): void {
    const isDropped =
      (fault.kind === 'half-open' && (fault.drop === 'both' || fault.drop === direction)) ||
      (fault.kind === 'swallow' && direction === 'to-server' && chunk.includes(fault.text));
    if (isDropped || fault.kind === 'delay') hits += 1;
    if (!isDropped) to.write(chunk, fault.kind === 'delay' ? fault.ms : 0);
  }

  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;

  return {
    host: '127.0.0.1',
    port,
    set(next) {
      fault = next;
      hits = 0;
      if (next.kind !== 'cut' && next.kind !== 'reset') return;
      hits = pairs.size;
      for (const { client } of pairs) end(client, next.kind);
    },
    redirect: (next) => void (target = next),
    connections: () => pairs.size,
    hits: () => hits,
    async close() {
      for (const { client } of pairs) client.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

interface DelayLine {
  write(chunk: Buffer, delayMs: number): void;
}

/** What was written first arrives first, also when the delay grows shorter meanwhile. */
function createDelayLine(to: Socket): DelayLine {
  const waiting: Buffer[] = [];
  let lastDueMs = 0;
  return {
    write(chunk, delayMs) {
      if (waiting.length === 0 && delayMs === 0) return void to.write(chunk);
      waiting.push(chunk);
      const nowMs = performance.now();
      lastDueMs = Math.max(nowMs + delayMs, lastDueMs);
      // Each timer sends the oldest chunk, not its own: two that are due together may fire in
      // either order.
      setTimeout(() => {
        const oldest = waiting.shift();
        if (oldest !== undefined && to.writable) to.write(oldest);
      }, lastDueMs - nowMs);
    },
  };
}

function end(socket: Socket, how: 'cut' | 'reset'): void {
  if (how === 'reset') socket.resetAndDestroy();
  else socket.destroy();
}
