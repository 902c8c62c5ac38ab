import { once } from 'node:events';
import { createServer, Socket, type AddressInfo } from 'node:net';

/** What the proxy does to every connection, those that are open and those to come. */
export type Fault =
  | { readonly kind: 'none' }
  /** Open connections end, new ones are refused as soon as they are made. */
  | { readonly kind: 'cut' }
  /** Like `cut`, with a TCP reset. */
  | { readonly kind: 'reset' }
  /** Bytes vanish in the named direction, connections stay open: a dead link that nobody noticed. */
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
  close(): Promise<void>;
}

/** A proxy between any two parts, on a free port of the loopback. */
export async function startTcpProxy(first: { host: string; port: number }): Promise<TcpProxy> {
  const pairs = new Set<{ client: Socket; server: Socket }>();
  let target = first;
  let fault: Fault = { kind: 'none' };

  const listener = createServer((client) => {
    if (fault.kind === 'cut' || fault.kind === 'reset') {
      end(client, fault.kind);
      return;
    }
    const server = new Socket();
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
    client.on('data', (chunk) => pass(chunk, server, 'to-server'));
    server.on('data', (chunk) => pass(chunk, client, 'to-client'));
  });

  function pass(chunk: Buffer, to: Socket, direction: 'to-server' | 'to-client'): void {
    if (fault.kind === 'half-open' && (fault.drop === 'both' || fault.drop === direction)) return;
    if (fault.kind === 'swallow' && direction === 'to-server' && chunk.includes(fault.text)) return;
    if (fault.kind !== 'delay') return void to.write(chunk);
    setTimeout(() => to.writable && to.write(chunk), fault.ms);
  }

  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;

  return {
    host: '127.0.0.1',
    port,
    set(next) {
      fault = next;
      if (next.kind === 'cut' || next.kind === 'reset') for (const { client } of pairs) end(client, next.kind);
    },
    redirect: (next) => void (target = next),
    connections: () => pairs.size,
    async close() {
      for (const { client } of pairs) client.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

function end(socket: Socket, how: 'cut' | 'reset'): void {
  if (how === 'reset') socket.resetAndDestroy();
  else socket.destroy();
}
