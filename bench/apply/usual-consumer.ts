import { headerNames } from '@board/contracts';
import type { InboxLab } from '@board/inbox/testing';
import type { DataSource } from 'typeorm';

/**
 * Consumes the way most services do: message by message, one transaction each, with a table of the
 * ids seen. No order under retries, no retry topics, no dead letters: it only has to be quick here.
 */
export async function startUsualConsumer(
  lab: InboxLab,
  dataSource: DataSource,
): Promise<() => Promise<void>> {
  await lab.schema.root.query(
    'CREATE TABLE seen (event_id VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY)',
  );
  const consumer = lab.kafka.consumer({ groupId: `${lab.group}.usual`, maxWaitTimeInMs: 250 });
  await consumer.connect();
  await consumer.subscribe({ topics: [lab.topic], fromBeginning: true });
  await consumer.run({
    partitionsConsumedConcurrently: 3,
    eachMessage: async ({ message: { headers = {} } }) => {
      const text = (name: string): string => String(headers[name]);
      const eventId = text(headerNames.eventId);
      await dataSource.transaction('READ COMMITTED', async (tx) => {
        const seen: { affectedRows: number } = await tx.query(
          'INSERT IGNORE INTO seen VALUES (?)',
          [eventId],
        );
        if (seen.affectedRows === 0) return;
        await tx.query('INSERT INTO thing_log (aggregateid, version, event_id) VALUES (?, ?, ?)', [
          text(headerNames.aggregateId),
          text(headerNames.version),
          eventId,
        ]);
      });
    },
  });
  return () => consumer.disconnect();
}
