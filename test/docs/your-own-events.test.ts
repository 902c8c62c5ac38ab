import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const checkout = resolve(import.meta.dirname, '../..');
const page = readFileSync(resolve(checkout, 'docs/your-own-events.md'), 'utf8');

/** Without indents: a formatter of Markdown sets its own. */
const normalise = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');

const pieces = [...page.matchAll(/^```ts (\S+)\n(.*?)^```$/gms)].map(
  ([, file = '', code = '']) => ({ file, code }),
);

it.each(pieces)('docs/your-own-events.md shows $file as it is', ({ file, code }) => {
  expect(normalise(readFileSync(resolve(checkout, file), 'utf8'))).toContain(normalise(code));
});

it('docs/your-own-events.md shows code of the contract, the owner and the consumer', () => {
  const folders = new Set(pieces.map(({ file }) => file.split('/').slice(0, 2).join('/')));
  expect([...folders].toSorted()).toEqual([
    'contracts/src',
    'services/comment-service',
    'services/order-service',
  ]);
});
