import fc, { type Arbitrary } from 'fast-check';
import type { Api } from './api.ts';
import { encodedText } from './draw-text.ts';
import type { Shot } from './shot.ts';

const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'QUERY',
  'M-SEARCH',
  'FOO',
  'get',
];
const others = [
  '/healthz',
  '/readyz',
  '/metrics',
  '/openapi.json',
  '/docs',
  '/docs/start.js',
  '/favicon.ico',
  '/.env',
  '*',
];
const absolute = [
  'http://[',
  'http://a:99999',
  'http://@',
  'http://a%00b',
  'https://other',
  '//[',
  'ftp://a',
  'http://a\\b',
];

/** A request that the document does not know: other methods, other paths, targets that are URLs. */
export function drawStray(api: Api): Arbitrary<Shot> {
  const paths = [...Object.keys(api.paths), ...others];
  const target = fc.oneof(
    fc.constantFrom(...paths),
    fc.tuple(fc.constantFrom(...paths), encodedText).map(([path, text]) => `${path}?${text}`),
    fc.array(encodedText, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
    fc
      .tuple(fc.constantFrom(...absolute), fc.constantFrom(...paths))
      .map((parts) => parts.join('')),
  );
  return fc.record({ method: fc.constantFrom(...methods), target }).map((sent) => ({
    aim: () => ({ ...sent, headers: [], body: undefined }),
    isFit: false,
  }));
}
