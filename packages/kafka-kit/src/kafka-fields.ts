import { ConfigError, configFields } from '@board/service-kit';
import { z } from 'zod';
import type { KafkaAccess } from './kafka-access.ts';

/** The environment variables that say where Kafka is and how to get in; on loopback the addresses are enough. */
export const kafkaFields = {
  KAFKA_BROKERS: configFields.addresses(),
  KAFKA_USER: z.string().optional().describe('a user name (SCRAM-SHA-512), with KAFKA_PASSWORD'),
  KAFKA_PASSWORD: z.string().optional().describe('the password of KAFKA_USER'),
  KAFKA_CA: z
    .string()
    .regex(/-----BEGIN CERTIFICATE-----/)
    .optional()
    .describe('a certificate in PEM that the brokers are known by; as a rule KAFKA_CA_FILE names its file'),
};

const schema = z.object(kafkaFields);

export function kafkaAccess(config: z.output<typeof schema>): KafkaAccess {
  const { KAFKA_BROKERS: brokers, KAFKA_USER: user, KAFKA_PASSWORD: password, KAFKA_CA: ca } = config;
  if ((user === undefined) !== (password === undefined)) {
    const [given, missing] = user === undefined ? ['KAFKA_PASSWORD', 'KAFKA_USER'] : ['KAFKA_USER', 'KAFKA_PASSWORD'];
    throw new ConfigError(`${given} is set and ${missing} is not: set both, or neither where Kafka asks for no login`);
  }
  return {
    brokers,
    ...(user !== undefined && password !== undefined && { login: { user, password } }),
    ...(ca !== undefined && { ca }),
  };
}
