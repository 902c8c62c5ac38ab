import { connect } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import './kafkajs-patches.ts';
import { ConfigError, configFields, type Logger } from '@board/service';
import {
  Kafka,
  Partitioners,
  logLevel,
  type LogEntry,
  type Producer,
  type ProducerConfig,
} from 'kafkajs';
import { z } from 'zod';

/** The addresses of Kafka and the login. */
export interface KafkaAccess {
  readonly brokers: readonly string[];
  /** SCRAM-SHA-512, only ever over TLS. */
  readonly login?: { readonly user: string; readonly password: string };
  /** PEM; without it the certificates that Node knows decide. */
  readonly ca?: string;
}

/**
 * The environment variables with the addresses and the login of Kafka; on loopback the addresses
 * are enough.
 */
export const kafkaFields = {
  KAFKA_BROKERS: configFields.addresses(),
  KAFKA_USER: z.string().optional().describe('a user name (SCRAM-SHA-512), with KAFKA_PASSWORD'),
  KAFKA_PASSWORD: z.string().optional().describe('the password of KAFKA_USER'),
  KAFKA_CA: z
    .string()
    .regex(/-----BEGIN CERTIFICATE-----/)
    .optional()
    .describe(
      'a certificate in PEM that the brokers are known by; as a rule KAFKA_CA_FILE names its file',
    ),
};

const schema = z.object(kafkaFields);

/** The access that `kafkaFields` describe; throws ConfigError for half a login. */
export function kafkaAccess(config: z.output<typeof schema>): KafkaAccess {
  const {
    KAFKA_BROKERS: brokers,
    KAFKA_USER: user,
    KAFKA_PASSWORD: password,
    KAFKA_CA: ca,
  } = config;
  if ((user === undefined) !== (password === undefined)) {
    const [given, missing] =
      user === undefined ? ['KAFKA_PASSWORD', 'KAFKA_USER'] : ['KAFKA_USER', 'KAFKA_PASSWORD'];
    throw new ConfigError(
      `${given} is set and ${missing} is not: set both, or neither where Kafka asks for no login`,
    );
  }
  return {
    brokers,
    ...(user !== undefined && password !== undefined && { login: { user, password } }),
    ...(ca !== undefined && { ca }),
  };
}

/**
 * A Kafka client that logs to ours and never stops trying to reach its brokers; without a logger it
 * logs nothing.
 */
export function connectKafka(access: KafkaAccess, clientId: string, logger?: Logger): Kafka {
  return new Kafka({
    brokers: [...access.brokers],
    clientId,
    ...security(access),
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: 200, maxRetryTime: 5_000, retries: 10 },
    ...(logger
      ? { logLevel: logLevel.INFO, logCreator: () => (entry) => log(logger, entry) }
      : { logLevel: logLevel.NOTHING }),
  });
}

function security({ login, ca }: KafkaAccess) {
  if (login === undefined && ca === undefined) return {};
  return {
    // With a login always: what SCRAM sends in the clear can be guessed at offline.
    ssl: ca === undefined ? true : { ca: [ca] },
    ...(login && {
      sasl: { mechanism: 'scram-sha-512' as const, username: login.user, password: login.password },
    }),
  };
}

function log(logger: Logger, { level, log: { message, error, groupId } }: LogEntry): void {
  const line = {
    event: 'kafkajs',
    message,
    error: typeof error === 'string' ? error : undefined,
    groupId,
  };
  if (level === logLevel.ERROR) logger.error(line);
  else if (level === logLevel.WARN) logger.warn(line);
  else logger.debug(line);
}

/**
 * A producer that is not connected yet, for topics that are there.
 *
 * Not kafkajs's idempotent mode: after a lost answer that reuses the sequence number, and the next
 * record is acknowledged without being stored. Readers of what is written here take a copy for what
 * it is; a loss could not be repaired.
 */
export function createProducer(
  kafka: Kafka,
  settings: Pick<ProducerConfig, 'metadataMaxAge' | 'retry'> = {},
): Producer {
  return kafka.producer({
    ...settings,
    idempotent: false,
    allowAutoTopicCreation: false,
    // The default, by its name: else kafkajs warns that it was once another one.
    createPartitioner: Partitioners.DefaultPartitioner,
  });
}

/**
 * ApiVersions, version 0, correlation id 0, no client id: every broker answers it, also before a
 * login.
 */
const question = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

/** Resolves as soon as any broker answers, even with a refusal. */
export async function askBrokers(access: KafkaAccess, signal: AbortSignal): Promise<void> {
  const isSecured = access.login !== undefined || access.ca !== undefined;
  await Promise.any(access.brokers.map((broker) => ask(broker, isSecured, signal)));
}

function ask(broker: string, isSecured: boolean, signal: AbortSignal): Promise<void> {
  const at = broker.lastIndexOf(':');
  const address = { host: broker.slice(0, at), port: Number(broker.slice(at + 1)) };
  return new Promise((resolve) => {
    // Of a secured broker the handshake is answer enough; whether its certificate fits is the
    // client's business.
    const socket = isSecured
      ? connectSecurely({ ...address, rejectUnauthorized: false })
      : connect(address);
    const done = (): void => {
      socket.destroy();
      resolve();
    };
    if (isSecured) socket.once('secureConnect', done);
    else socket.once('connect', () => socket.write(question)).once('data', done);
    socket.on('error', done).once('close', done);
    signal.addEventListener('abort', done, { once: true });
  });
}
