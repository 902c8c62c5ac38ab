import { expect, test } from 'vitest';
import { parseCommitted, parseOffsets, refuseProblems } from './parse-answers.ts';
import { lineSeparator } from './parse-records.ts';

test('the ends of partitions are read', () => {
  expect(parseOffsets('board:0:0\ncatalog-service.retry.1:2:41\n')).toEqual([
    { topic: 'board', partition: 0, offset: 0 },
    { topic: 'catalog-service.retry.1', partition: 2, offset: 41 },
  ]);
});

test('what groups have committed is read; a partition without a commit is left out', () => {
  const output = `
GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID            HOST            CLIENT-ID
catalog-service board           0          -               0               -               catalog-service-1-92   /127.0.0.1      catalog-service-1
catalog-service board           1          8               9               1               catalog-service-2-64   /127.0.0.1      catalog-service-2

GROUP                 TOPIC                   PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID     HOST            CLIENT-ID
catalog-service.retry catalog-service.retry.1 2          3               3               0               -               -               -
`;
  expect([...parseCommitted(output)]).toEqual([
    ['catalog-service board 1', 8],
    ['catalog-service.retry catalog-service.retry.1 2', 3],
  ]);
});

test('a group that cannot be described is not taken for one without commits', () => {
  const output =
    '\nError: Executing consumer group command failed due to org.apache.kafka.common.errors.GroupIdNotFoundException: Group x not found.\n';
  expect(() => parseCommitted(output)).toThrow(/is not known: Error: .* Group x not found/);
});

test('a consumer that stopped in the middle is refused, one that waited for more is not', () => {
  const record = `a java.lang.RuntimeException in a header${lineSeparator}`;
  const stopped =
    '[main] ERROR o.a.k.ConsoleConsumer - Error processing message, terminating consumer process: \n';
  const waited = `${stopped}org.apache.kafka.common.errors.TimeoutException\nProcessed a total of 1 messages\n`;
  const corrupt = `${stopped}org.apache.kafka.common.errors.CorruptRecordException: bad\nProcessed a total of 1 messages\n`;
  refuseProblems('board', record + waited);
  refuseProblems('board', waited);
  expect(() => refuseProblems('board', record + corrupt)).toThrow(
    /board could not be read to its end: .*CorruptRecord/,
  );
  expect(() => refuseProblems('board', corrupt)).toThrow(/CorruptRecord/);
});
