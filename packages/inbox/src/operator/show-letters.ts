import type { SourceRecord } from '../record.ts';
import { openLetterReader } from './letter-reader.ts';
import type { LetterFilter } from './letter-filter.ts';
import type { Letter } from './letter.ts';
import type { Operator } from './operator.ts';
import { pagesByPosition } from './pages-by-position.ts';
import { payloadReader, type Payload } from './read-payload.ts';

/** What waits in the database behind a letter. */
interface Followers {
  readonly count: number;
  readonly firstVersion: number | null;
  readonly lastVersion: number | null;
}

export interface ShownLetter {
  readonly letter: Letter;
  /** Undefined when the DLQ no longer holds it. */
  readonly record: SourceRecord | undefined;
  readonly payload: Payload | undefined;
  readonly followers: Followers;
}

const lettersPerPage = 100;

/** Letters with their records from the DLQ, their payload as far as it decodes and what is parked behind them. */
export async function* showLetters(
  operator: Operator,
  registryUrl: string,
  filter: LetterFilter,
): AsyncGenerator<ShownLetter> {
  const readPayload = payloadReader(registryUrl);
  const reader = await openLetterReader(operator);
  try {
    for await (const letters of pagesByPosition(operator, filter, lettersPerPage)) {
      const records = await reader.read(letters);
      for (const letter of letters) {
        const record = records.get(letter.letter);
        yield {
          letter,
          record,
          payload: record && (await readPayload(record.value)),
          followers: await countFollowers(operator, letter),
        };
      }
    }
  } finally {
    await reader.close();
  }
}

async function countFollowers(
  { consumer, dataSource }: Operator,
  { aggregateId, version }: Letter,
): Promise<Followers> {
  if (aggregateId === null || version === null) return { count: 0, firstVersion: null, lastVersion: null };
  const [row]: readonly { followers: string; lowest: number | null; highest: number | null }[] = await dataSource.query(
    `SELECT COUNT(*) AS followers, MIN(version) AS lowest, MAX(version) AS highest FROM parked FORCE INDEX (PRIMARY)
     WHERE consumer = ? AND aggregatetype = ? AND aggregateid = ? AND version > ?`,
    [consumer.group, consumer.aggregateType, aggregateId, version],
  );
  return {
    count: Number(row?.followers ?? 0),
    firstVersion: row?.lowest ?? null,
    lastVersion: row?.highest ?? null,
  };
}
