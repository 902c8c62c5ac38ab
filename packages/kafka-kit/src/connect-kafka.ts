import './request-queue-timer.ts';
import type { Logger } from '@board/service-kit';
import { Kafka, logLevel, type LogEntry } from 'kafkajs';

/** A Kafka client that logs to ours and never stops trying to reach its brokers; without a logger it only throws. */
export function connectKafka(brokers: readonly string[], clientId: string, logger?: Logger): Kafka {
  return new Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: 200, maxRetryTime: 5_000, retries: 10 },
    ...(logger
      ? { logLevel: logLevel.INFO, logCreator: () => (entry) => log(logger, entry) }
      : { logLevel: logLevel.NOTHING }),
  });
}

function log(logger: Logger, { level, log: { message, error, groupId } }: LogEntry): void {
  const line = { event: 'kafkajs', message, error: typeof error === 'string' ? error : undefined, groupId };
  if (level === logLevel.ERROR) logger.error(line);
  else if (level === logLevel.WARN) logger.warn(line);
  else logger.debug(line);
}
