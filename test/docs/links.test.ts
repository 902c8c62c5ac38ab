import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const checkout = resolve(import.meta.dirname, '../..');
const pages = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
  { cwd: checkout, encoding: 'utf8' },
)
  .split('\n')
  .filter((page) => page !== '' && existsSync(join(checkout, page)));

/** Without blocks of code, where `#` and `](` mean something else. */
function readPage(page: string): string {
  return readFileSync(join(checkout, page), 'utf8').replaceAll(/^(?:\d+\.)? *```.*?^ *```$/gms, '');
}

/** The anchors of a page, as GitHub derives them from its headings. */
function anchorsOf(page: string): Set<string> {
  const headings = [...readPage(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** What is wrong with a link of the page; undefined when it leads somewhere. */
function problemOf(page: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(checkout, target))) return `${link}: no such file`;
  if (anchor === undefined) return undefined;
  const isPage = target.endsWith('.md') && statSync(join(checkout, target)).isFile();
  return isPage && anchorsOf(target).has(anchor) ? undefined : `${link}: no such heading`;
}

it.each(pages)('%s links files and headings that exist', (page) => {
  const links = [...readPage(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const own = links.filter((link) => !/^[a-z]+:/.test(link));
  expect(own.map((link) => problemOf(page, link)).filter(Boolean)).toEqual([]);
});

it('README.md has at most 7,000 bytes', () => {
  expect(statSync(join(checkout, 'README.md')).size).toBeLessThanOrEqual(7_000);
});
