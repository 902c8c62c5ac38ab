import { expect, test } from 'vitest';
import { chooseSource, parseDeb822File, parseListFile } from './private-root.ts';

const debian = { id: 'debian', codename: 'bookworm' };
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

test('lines of a .list file are read, with and without options; comments and source packages are not', () => {
  const text = `# deb http://commented.test/debian bookworm main
deb [arch=amd64 signed-by=${keyring}] http://mirror.test/debian bookworm main contrib # the mirror
deb-src http://mirror.test/debian bookworm main
deb http://mirror.test/debian bookworm-updates main
`;
  expect(parseListFile(text)).toEqual([
    {
      uri: 'http://mirror.test/debian',
      suite: 'bookworm',
      components: ['main', 'contrib'],
      signedBy: keyring,
    },
    {
      uri: 'http://mirror.test/debian',
      suite: 'bookworm-updates',
      components: ['main'],
      signedBy: undefined,
    },
  ]);
});

test('a deb822 file gives one source for each URI and suite; a disabled stanza gives none', () => {
  const text = `Types: deb deb-src
# a comment inside
URIs: http://mirror.test/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: ${keyring}

Enabled: no
Types: deb
URIs: http://off.test/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://source.test/debian
Suites: bookworm
Components: main
`;
  expect(parseDeb822File(text)).toEqual([
    {
      uri: 'http://mirror.test/debian',
      suite: 'bookworm',
      components: ['main'],
      signedBy: keyring,
    },
    {
      uri: 'http://mirror.test/debian',
      suite: 'bookworm-updates',
      components: ['main'],
      signedBy: keyring,
    },
  ]);
});

test('a key written into a deb822 file is no path of a keyring', () => {
  const text = `Types: deb
URIs: http://mirror.test/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
`;
  expect(parseDeb822File(text)[0]?.signedBy).toBeUndefined();
});

test("the distribution's own archive is chosen, never a third party's or the security archive", () => {
  const source = (uri: string, suite: string, signedBy?: string) => ({
    uri,
    suite,
    components: ['main'],
    signedBy,
  });
  const own = source('http://mirror.test/debian', 'bookworm', keyring);
  expect(
    chooseSource(
      [
        source('http://vendor.test/debian', 'bookworm', '/usr/share/keyrings/vendor.gpg'),
        source('http://mirror.test/debian-security', 'bookworm-security', keyring),
        { ...own, components: ['contrib'] },
        source('cdrom:[Debian]/', 'bookworm'),
        own,
      ],
      debian,
    ),
  ).toEqual(own);
  expect(chooseSource([source('http://vendor.test/x', 'nodistro')], debian)).toBeUndefined();
});
