import { expect, test } from 'vitest';
import { checkFolders, refuseFolders } from './checks.ts';

const plain = { folder: '/home/user/board/.stack/main' };

test.each([
  ['characters of another alphabet', '/home/민지/한글 폴더/.stack/main'],
  [
    'marks that shells and settings files know',
    String.raw`/a b/#1/100%41/"x"/it's/back\slash/a:b;c/.stack/main`,
  ],
])('%s are no problem for the data', (_what, folder) => {
  expect(checkFolders({ folder }, '/home/민지/.cache #1/board-pipeline').status).toBe('ok');
});

test.each([
  ['a comma', '/a,b/.stack/main', 'Kafka takes "," for the end of a data folder'],
  ['a line feed', '/a\nb/.stack/main', 'a control character'],
  ['more bytes than MySQL takes', `/${'한'.repeat(150)}/.stack/main`, 'its path has 463 bytes'],
])(
  '%s in the path of the data is refused with the reason and the way out',
  (_what, folder, reason) => {
    const finding = checkFolders({ folder }, '/cache');
    expect(finding).toMatchObject({
      status: 'missing',
      fix: 'move the checkout to another folder',
    });
    expect(finding.detail).toContain(`${JSON.stringify(folder)} cannot be used: `);
    expect(finding.detail).toContain(reason);
  },
);

test.each([
  [',', 'Connect takes "," for the end of a plugin folder'],
  [':', 'Java takes ":"'],
  [';', 'the loader ":" and ";"'],
])('"%s" in the path of the downloads is refused', (mark, reason) => {
  const finding = checkFolders(plain, `/home/a${mark}b/.cache`);
  expect(finding).toMatchObject({ status: 'missing', fix: 'set XDG_CACHE_HOME to another folder' });
  expect(finding.detail).toContain(reason);
});

test('a start is refused in one sentence', () => {
  expect(() => refuseFolders({ folder: '/a,b/.stack/main' })).toThrow(
    'folders: "/a,b/.stack/main" cannot be used: Kafka takes "," for the end of a data folder; move the checkout to another folder.',
  );
});
