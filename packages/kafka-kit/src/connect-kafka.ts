import './clock-steps.ts';
import './request-queue-timer.ts';
import './kafkajs-fetch.ts';
import type { Logger } from '@board/service-kit';
import { Kafka, logLevel, type LogEntry } from 'kafkajs';
import type { KafkaAccess } from './kafka-access.ts';

/** A Kafka client that logs to ours and never stops trying to reach its brokers; without a logger it only throws. */
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
    ...(login && { sasl: { mechanism: 'scram-sha-512' as const, username: login.user, password: login.password } }),
  };
}

function log(logger: Logger, { level, log: { message, error, groupId } }: LogEntry): void {
  const line = { event: 'kafkajs', message, error: typeof error === 'string' ? error : undefined, groupId };
  if (level === logLevel.ERROR) logger.error(line);
  else if (level === logLevel.WARN) logger.warn(line);
  else logger.debug(line);
}
