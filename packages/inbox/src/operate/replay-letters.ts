import { setTimeout as wait } from 'node:timers/promises';
import { recordReplays } from '../database/letter-replays.ts';
import type { SourceRecord } from '../record.ts';
import { connectPublisher, type RoutePublisher } from '../route/publish.ts';
import { judgeReplay, type ReplayVerdict } from './judge-replay.ts';
import type { LetterFilter } from './letter-filter.ts';
import { openLetterReader, type LetterReader } from './letter-reader.ts';
import type { Letter } from './letter.ts';
import type { Operator } from './operator.ts';
import { pagesByPosition } from './pages-by-position.ts';
import { toReplay } from './to-replay.ts';

export interface ReplayOptions {
  /** Letters a second; as fast as it goes without. */
  readonly rate?: number;
  /** Decides and reads as a replay does, sends nothing. */
  readonly dryRun?: boolean;
  /** Also sends what was sent before and has not failed since, and what was dismissed. */
  readonly again?: boolean;
  /** Stops after the letters in hand; what was sent is recorded. */
  readonly signal?: AbortSignal;
}

export interface Replay {
  readonly letter: Letter;
  readonly outcome:
    | 'replayed'
    | 'would-replay'
    /** The DLQ no longer holds its record; where it stood there may be another one, of a DLQ that was made again. */
    | 'missing'
    | Exclude<ReplayVerdict, 'replay'>;
}

const lettersPerPage = 100;

/**
 * Sends dead letters back to their group's first retry topic, page by page, and tells what became of each. The order does
 * not matter and a copy is harmless: the mark sees to both. Called again, it goes on with what was not sent.
 */
export async function* replayLetters(
  operator: Operator,
  filter: LetterFilter,
  options: ReplayOptions = {},
): AsyncGenerator<Replay> {
  const { rate = Infinity, dryRun = false, again = false, signal } = options;
  const perPage = Math.max(1, Math.min(lettersPerPage, Math.ceil(rate / 4)));
  const reader = await openLetterReader(operator);
  const publisher = await connectPublisher(operator.kafka);
  const startedAtMs = performance.now();
  let sent = 0;
  try {
    for await (const letters of pagesByPosition(operator, filter, perPage)) {
      if (signal?.aborted) return;
      const replays = await replayPage(operator, reader, dryRun ? undefined : publisher, letters, again);
      yield* replays;
      sent += replays.filter(({ outcome }) => outcome === 'replayed').length;
      const aheadMs = startedAtMs + (sent / rate) * 1_000 - performance.now();
      if (aheadMs > 0) await wait(aheadMs, undefined, signal ? { signal } : {}).catch(() => undefined);
    }
  } finally {
    await publisher.close();
    await reader.close();
  }
}

async function replayPage(
  operator: Operator,
  reader: LetterReader,
  publisher: RoutePublisher | undefined,
  letters: readonly Letter[],
  again: boolean,
): Promise<Replay[]> {
  const verdicts = new Map(letters.map((letter) => [letter, judgeReplay(letter, again)]));
  const wanted = letters.filter((letter) => verdicts.get(letter) === 'replay');
  const records = await reader.read(wanted);
  const held = wanted.flatMap((letter): { letter: Letter; record: SourceRecord }[] => {
    const record = records.get(letter.letter);
    return record === undefined ? [] : [{ letter, record }];
  });
  if (publisher !== undefined && held.length > 0) {
    const nowMs = operator.now();
    await publisher.publish(held.map(({ record }) => toReplay(operator.consumer.group, record, nowMs)));
    // After the acknowledgement: a letter that counts as sent but was not would be left out for good.
    await recordReplays(
      operator.dataSource,
      operator.consumer,
      held.map(({ letter: { letter, dlqPartition, dlqOffset } }) => ({
        letter,
        dlqPartition,
        dlqOffset: BigInt(dlqOffset),
      })),
      nowMs,
    );
  }
  return letters.map((letter) => {
    const verdict = verdicts.get(letter) ?? 'closed';
    if (verdict !== 'replay') return { letter, outcome: verdict };
    if (!records.has(letter.letter)) return { letter, outcome: 'missing' };
    return { letter, outcome: publisher === undefined ? 'would-replay' : 'replayed' };
  });
}
