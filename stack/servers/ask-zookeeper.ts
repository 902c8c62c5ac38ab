import { connect } from 'node:net';

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
