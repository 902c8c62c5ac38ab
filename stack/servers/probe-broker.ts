import { connect } from 'node:net';

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
