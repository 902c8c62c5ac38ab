import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const checkout = resolve(import.meta.dirname, '../..');
const self = 'test/setup/words.test.ts';

/** Every text of the checkout that git keeps or would keep, by its path. */
const texts: ReadonlyMap<string, string> = new Map(
  execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: checkout,
    encoding: 'utf8',
  })
    .split('\0')
    .filter((file) => file !== '' && existsSync(join(checkout, file)))
    .map((file) => [file, readFileSync(join(checkout, file), 'utf8')] as const)
    .filter(([, text]) => !text.includes('\0')),
);

interface Place {
  readonly file: string;
  readonly text: string;
  /** Where the first character of the word stands in the text. */
  readonly index: number;
}

function findAll(pattern: RegExp): readonly Place[] {
  return [...texts].flatMap(([file, text]) =>
    [...text.matchAll(pattern)].map(({ index, 0: found }) => ({
      file,
      text,
      index: index + found.search(/\w/),
    })),
  );
}

function lineOf({ text, index }: Place): string {
  const end = text.indexOf('\n', index);
  return text.slice(text.lastIndexOf('\n', index - 1) + 1, end === -1 ? undefined : end).trim();
}

/** `file:line: the line`. */
function show(place: Place): string {
  const line = place.text.slice(0, place.index).split('\n').length;
  return `${place.file}:${line}: ${lineOf(place).slice(0, 120)}`;
}

describe('words', () => {
  // Each begins with a class of one character, so that this file has none of them.
  const metaphors =
    /[w]hoever|[n]obody|[s]omebody|[l]ookout|[d]istrust|[t]ellOperator|[g]uilty|(?:^|[^a-z])[m]end(?:s|ed|ing)?\b|(?:^|[^r])[r]ivals?\b/gim;
  const quotesOldWords = /^(docs\/(decisions|style)|CHANGELOG)[.]md$/;

  it('that are metaphors or name no one are in no file', () => {
    const found = findAll(metaphors).filter(({ file }) => !quotesOldWords.test(file));
    expect(found.map(show)).toEqual([]);
  });

  /** Where the old key `letter` is still printed beside `id`, until the next release. */
  const printsOldKey: Readonly<Record<string, string>> = {
    'ops/commands/dlq/dismiss.ts': 'dlq dismiss --json',
    'ops/commands/dlq/print-dead-letter.ts': 'dlq list and dlq show --json',
    'ops/commands/dlq/replay.ts': 'dlq replay --json',
    'ops/commands/inbox.ts': 'inbox discard --json; inbox status --json has openLetters',
    'ops/test/commands.int.test.ts': 'the test of these',
  };
  const oldKey = 'letter: ';

  it('a dead letter is called so in full, but for stored names and the old key in JSON', () => {
    const found = findAll(/letter/gi).filter(
      (place) => place.file !== self && !quotesOldWords.test(place.file) && !isAllowed(place),
    );
    expect(found.map(show)).toEqual([]);
  });

  it('the old key is in each file that is listed for it', () => {
    const without = Object.keys(printsOldKey).filter(
      (file) => texts.get(file)?.includes(oldKey) !== true,
    );
    expect(without).toEqual([]);
  });

  function isAllowed(place: Place): boolean {
    const { file, text, index } = place;
    const [before, after] = [text.slice(Math.max(0, index - 40), index), text.slice(index)];
    // Also `dead` at the end of a line of a comment.
    if (/dead[\s\-_*/#>]*$/i.test(before)) return true;
    // Tables, indexes, a migration.
    if (/^(letter_replay|letters_by_\w+|letters_of_aggregate|LetterReplays\d+)\b/.test(after))
      return true;
    if (/\bopen_$/.test(before) && /^letters\b/.test(after)) return true;
    if (file in printsOldKey && after.startsWith(oldKey)) return true;
    if (file in printsOldKey && /\bopen$/.test(before) && /^Letters\b/.test(after)) return true;
    // The column, in code that names its table, and in backquotes in a comment there.
    const isWord = /(^|\W)$/.test(before) && /^letter\b/.test(after);
    const isProse = /^(\/\/|\/?\*)/.test(lineOf(place)) || /\b(an?|the|its|each) $/i.test(before);
    const isQuoted = before.endsWith('`') && after.startsWith('letter`');
    return isWord && (isQuoted || !isProse) && /\b(dead_letter|letter_replay)\b/.test(text);
  }
});

describe('renamed log events', () => {
  const renamed: readonly (readonly [now: string, before: string])[] = [
    ['inbox.circuit-breaker-open', 'inbox.flood-guard-open'],
    ['inbox.circuit-breaker-closed', 'inbox.flood-guard-closed'],
    ['inbox.circuit-breaker-probe', 'inbox.flood-guard-probe'],
    ['inbox.self-test-failed', 'inbox.probe-failed'],
    ['relay.incident-opened', 'relay.suspected'],
    ['relay.incident-closed', 'relay.settled'],
  ];

  it.each(renamed)('%s carries its former name for one release', (now, before) => {
    const line = new RegExp(`event: '${now}',[^}]{0,80}oldEvent: '${before}'`);
    const files = [...texts].filter(([file, text]) => file !== self && line.test(text));
    expect(files).toHaveLength(1);
  });
});

describe('names of tests', () => {
  const realNames = new Set(
    [
      'API ASCII BOM CA CI CMD CPU CR CRC CRLF DDL DLQ GTID HEAD HTTP HTTPS ID IP JSON JVM NUL NULL',
      'OOM OS PATH README SASL SHA SQL TCP TLS TTL URI URL UTC UTF UUID XML YAML',
      'BEGIN COMMIT CREATE DELETE GET INSERT OPTIONS PATCH POST PUT SELECT UPDATE',
      'SIGINT SIGKILL SIGTERM AHEAD LOST FAILED PAUSED RUNNING STOPPED',
    ].flatMap((line) => line.split(' ')),
  );
  /** The first argument, and that of what `.each` and the like return, where it is a literal. */
  const firstText =
    /(?:\b(?:it|test|describe)(?:[.]\w+)*\(|\)\()\s*(?<quote>['"`])(?<name>(?:\\.|(?!\k<quote>).)*)\k<quote>/gs;

  it('have a word in capitals that is no real name less often than once in twenty', () => {
    const names = [...texts]
      .filter(([file]) => file.endsWith('.test.ts') && file !== self)
      .flatMap(([file, text]) =>
        [...text.matchAll(firstText)].map(({ index, groups }) => ({
          place: { file, text, index },
          name: groups?.['name']?.replaceAll(/\$\{[^}]*\}/g, '') ?? '',
        })),
      );
    // Fewer would mean that they are not found any more.
    expect(names.length).toBeGreaterThan(1_000);
    const loud = names.filter(({ name }) =>
      name.match(/\b[A-Z]{2,}\b/g)?.some((word) => !realNames.has(word)),
    );
    const shown = loud.map(({ place, name }) => `${show(place).split(': ')[0]}: ${name}`);
    expect(loud.length < names.length / 20 ? [] : shown).toEqual([]);
  });
});

describe('source files', () => {
  // Neither tests and their helpers, nor declarations, nor the settings of tools at the root.
  const source = /^(?!.*([.]test[.]ts|[.]d[.]m?ts)$)(?!(.*\/)?test\/).+\/.+[.](ts|m?js|cjs)$/;
  const sizes = [...texts]
    .filter(([file]) => source.test(file))
    .map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }))
    .toSorted((one, other) => one.lines - other.lines);

  it('have at most 300 lines', () => {
    const long = sizes.filter(({ lines }) => lines > 300);
    expect(long.map(({ file, lines }) => `${file}:${lines}: ${lines} lines`)).toEqual([]);
  });

  it('are at most 280, each answering one question of its reader', () => {
    expect(sizes.length).toBeGreaterThan(100);
    const shortest = sizes.slice(0, 40).map(({ file, lines }) => `${file}: ${lines} lines`);
    expect(sizes.length <= 280 ? [] : [`${sizes.length} files`, ...shortest]).toEqual([]);
  });

  it('have a median of at least 70 lines', () => {
    expect(sizes[Math.floor(sizes.length / 2)]?.lines).toBeGreaterThanOrEqual(70);
  });
});
