import { connect } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Undefined when the address answers 200, else what it said. */
export async function probeHttp(url: string): Promise<string | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
  const body = await response.text();
  return response.status === 200
    ? undefined
    : `${url} says ${response.status} ${body.slice(0, 200)}`;
}

// Size, Metadata, its version 4, correlation id, no client id, no topics, and none to be made.
const metadataRequest = Buffer.from(
  ['0000000f', '0003', '0004', '00000001', 'ffff', '00000000', '00'].join(''),
  'hex',
);

/**
 * How many brokers of the cluster this broker knows to be alive: the answer to a real Metadata
 * request.
 */
export async function countBrokers(address: Address): Promise<number> {
  const answer = await ask(address, 'the broker', metadataRequest, 16);
  if (answer.length < 16) throw new Error('the broker closed the connection');
  // Size, correlation id, throttle time, then the number of brokers.
  return answer.readInt32BE(12);
}

/** ZooKeeper's answer to one of its four-letter words. */
export async function askZookeeper(address: Address, word: 'srvr' | 'dump'): Promise<string> {
  return (await ask(address, 'ZooKeeper', word, Infinity)).toString();
}

/** What comes back, up to so many bytes or the end of the connection. */
function ask(
  address: Address,
  who: string,
  request: Buffer | string,
  enoughBytes: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    let answer = Buffer.alloc(0);
    socket.setTimeout(3000, () => socket.destroy(new Error(`${who} did not answer within 3 s`)));
    socket.once('error', reject);
    socket.once('close', () => resolve(answer));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= enoughBytes) socket.destroy();
    });
    socket.write(request);
  });
}
