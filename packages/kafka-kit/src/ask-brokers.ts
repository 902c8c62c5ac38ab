import { connect } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import type { KafkaAccess } from './kafka-access.ts';

/** ApiVersions, version 0, correlation id 0, no client id: every broker answers it, also before a login. */
const question = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

/** Settles as soon as any broker says anything, be it a refusal. */
export async function askBrokers(access: KafkaAccess, signal: AbortSignal): Promise<void> {
  const isSecured = access.login !== undefined || access.ca !== undefined;
  await Promise.any(access.brokers.map((broker) => ask(broker, isSecured, signal)));
}

function ask(broker: string, isSecured: boolean, signal: AbortSignal): Promise<void> {
  const at = broker.lastIndexOf(':');
  const address = { host: broker.slice(0, at), port: Number(broker.slice(at + 1)) };
  return new Promise((resolve) => {
    // Of a secured broker the handshake is answer enough; whether its certificate fits is the client's business.
    const socket = isSecured ? connectSecurely({ ...address, rejectUnauthorized: false }) : connect(address);
    const settle = (): void => {
      socket.destroy();
      resolve();
    };
    if (isSecured) socket.once('secureConnect', settle);
    else socket.once('connect', () => socket.write(question)).once('data', settle);
    socket.on('error', settle).once('close', settle);
    signal.addEventListener('abort', settle, { once: true });
  });
}
