import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { boardOutbox } from '../src/index.ts';

const readme = readFileSync(new URL('../../../connectors/README.md', import.meta.url), 'utf8');

function keysIn(heading: string): string[] {
  const chapter = readme.split(/^## /m).find((text) => text.startsWith(heading));
  if (chapter === undefined) throw new Error(`README has no chapter "${heading}"`);
  return [...chapter.matchAll(/^\| `([^`]+)` /gm)].map(([, key]) => key ?? '');
}

describe("the connector's README", () => {
  it('explains every key of the JSON once, and no other key', () => {
    expect(keysIn('Every key').sort()).toEqual(Object.keys(boardOutbox).sort());
  });

  it('says of no key that it is not set while the JSON sets it', () => {
    expect(keysIn('Deliberately not set').filter((key) => key in boardOutbox)).toEqual([]);
  });

  it('leaves no reason empty', () => {
    const rows = readme.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows.filter((row) => row.split('|').at(-2)?.trim() === '')).toEqual([]);
  });

  it('carries the marker of its step in the first line', () => {
    expect(readme.split('\n')[0]).toBe('<!-- Flow 4/9: binlog -> topic -->');
  });
});
