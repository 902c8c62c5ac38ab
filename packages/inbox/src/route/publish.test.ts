import { Kafka } from 'kafkajs';
import { expect, it } from 'vitest';
import { connectPublisher } from './publish.ts';

it("makes its producer without kafkajs's warning about the partitioner", async () => {
  const said: string[] = [];
  const kafka = new Kafka({
    // Nobody listens there: what is said before connecting is what counts.
    brokers: ['127.0.0.1:1'],
    retry: { retries: 0 },
    logCreator: () => (entry) => said.push(entry.log.message),
  });
  await expect(connectPublisher(kafka)).rejects.toThrow('ECONNREFUSED');
  expect(said.join()).toContain('ECONNREFUSED');
  expect(said.join()).not.toContain('partitioner');
});
