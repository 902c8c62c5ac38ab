import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

const page = 'docs/flow.md';
const steps = 9;
const marker = /^(?:\/\/|<!--) Flow (\d)\/9: (.+?)(?: -->)?$/;

/** Step by file, from the first lines of all files that git knows or does not ignore. */
function readMarkers(): Map<string, number> {
  const files = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.md'],
    {
      encoding: 'utf8',
    },
  );
  const found = new Map<string, number>();
  for (const file of files.split('\n').filter((name) => name !== '' && existsSync(name))) {
    const [first = ''] = readFileSync(file, 'utf8').split('\n', 1);
    const step = marker.exec(first)?.[1];
    if (step !== undefined) found.set(file, Number(step));
  }
  return found;
}

/** The file that each numbered paragraph of the page links first. */
function readWalk(): Map<string, number> {
  const links = readFileSync(page, 'utf8').matchAll(/^\*\*(\d)\. \[[^\]]+\]\(([^)]+)\)/gm);
  return new Map(
    [...links].map(([, step, link = '']) => [join(dirname(page), link), Number(step)]),
  );
}

it('marks each step in one file, and docs/flow.md walks through the same files in order', () => {
  const markers = [...readMarkers()].sort(([, a], [, b]) => a - b);
  expect(markers.map(([, step]) => step)).toEqual(
    Array.from({ length: steps }, (_, index) => index + 1),
  );
  expect([...readWalk()]).toEqual(markers);
});

it('keeps every file on the walk under 200 lines', () => {
  const long = [...readMarkers().keys()].filter(
    (file) => readFileSync(file, 'utf8').trimEnd().split('\n').length > 200,
  );
  expect(long).toEqual([]);
});
