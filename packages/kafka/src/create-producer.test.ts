import { Kafka } from 'kafkajs';
import { expect, it } from 'vitest';
import { createProducer } from './connect-kafka.ts';

it("createProducer makes a producer without kafkajs's warning about the partitioner", async () => {
  const said: string[] = [];
  const kafka = new Kafka({
    // No broker listens there: the test is about what is printed before connecting.
    brokers: ['127.0.0.1:1'],
    retry: { retries: 0 },
    logCreator: () => (entry) => said.push(entry.log.message),
  });
  await expect(createProducer(kafka).connect()).rejects.toThrow('ECONNREFUSED');
  expect(said.join()).toContain('ECONNREFUSED');
  expect(said.join()).not.toContain('partitioner');
});
