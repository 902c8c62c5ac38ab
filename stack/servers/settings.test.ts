import { expect, test } from 'vitest';
import { optionFileLines, properties } from './settings.ts';

test('a properties file is plain ASCII, whatever the value: Java would read anything else as Latin-1', () => {
  expect(
    properties({ 'log.dirs': String.raw`/한글 폴더 #1/a\b`, 'node.id': 1, name: ' x🎉\n' }),
  ).toBe(
    [
      String.raw`log.dirs=/\ud55c\uae00 \ud3f4\ub354 #1/a\\b`,
      'node.id=1',
      String.raw`name=\ x\ud83c\udf89\n`,
      '',
    ].join('\n'),
  );
});

test('an option file quotes a value in which MySQL would see a comment, a quote or an escape, and no other', () => {
  expect(
    optionFileLines({ datadir: String.raw`/a "b" #1\c`, port: 1, socket: '/한글 폴더/my.sock' }),
  ).toBe(
    [String.raw`datadir="/a \"b\" #1\\c"`, 'port=1', 'socket=/한글 폴더/my.sock', ''].join('\n'),
  );
});
