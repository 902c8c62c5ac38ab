import { connect } from 'node:net';

/** Undefined when the address answers 200, else what it said. */
export async function probeHttp(url: string): Promise<string | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
  const body = await response.text();
  return response.status === 200 ? undefined : `${url} says ${response.status} ${body.slice(0, 200)}`;
}

const metadataRequest = 3;

/** How many brokers of the cluster this broker knows to be alive: the answer to a real Metadata request (version 4). */
export function countBrokers(address: { readonly host: string; readonly port: number }): Promise<number> {
  const body = Buffer.alloc(2 + 2 + 4 + 2 + 4 + 1);
  body.writeInt16BE(metadataRequest, 0);
  body.writeInt16BE(4, 2);
  body.writeInt32BE(1, 4);
  body.writeInt16BE(-1, 8);
  body.writeInt32BE(0, 10);
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);

  return new Promise((resolve, reject) => {
    const socket = connect(address);
    let answer = Buffer.alloc(0);
    socket.setTimeout(3000, () => socket.destroy(new Error('the broker did not answer within 3 s')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the broker closed the connection')));
    socket.write(Buffer.concat([size, body]));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      // Size, correlation id, throttle time, then the number of brokers.
      if (answer.length < 16) return;
      resolve(answer.readInt32BE(12));
      socket.destroy();
    });
  });
}

/** ZooKeeper's answer to one of its four-letter words. */
export function askZookeeper(
  address: { readonly host: string; readonly port: number },
  word: 'srvr' | 'dump',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    let answer = '';
    socket.setTimeout(3000, () => socket.destroy(new Error('ZooKeeper did not answer within 3 s')));
    socket.once('error', reject);
    socket.once('close', () => resolve(answer));
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.write(word);
  });
}
