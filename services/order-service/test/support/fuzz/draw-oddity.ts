import fc, { type Arbitrary } from 'fast-check';
import type { Shot } from './shot.ts';
import { toBytes, type Sent } from './to-bytes.ts';
import type { World } from './world.ts';

/** What is done to a connection of its own. */
export interface Oddity {
  readonly name: string;
  readonly aim: (world: World) => {
    /** Sent one after the other, with a little time between. */
    readonly parts: readonly Buffer[];
    /**
     * The requests whose answers must come, in this order; undefined: any answer that is valid by
     * itself.
     */
    readonly requests?: readonly Sent[];
  };
  /** `hang up`: without reading; the other ways read until the server has said all. */
  readonly finish: 'read' | 'end' | 'hang up';
}

const text = (...lines: readonly string[]): Buffer =>
  Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
const json = 'Content-Type: application/json';
const post = ['POST /boards HTTP/1.1', 'Host: a', json];
const board = '{"title":"odd","content":""}';

/** Bytes that no correct client sends, and connections that no correct client breaks off. */
export function drawOddity(shot: Arbitrary<Shot>, fitShot: Arbitrary<Shot>): Arbitrary<Oddity> {
  return fc.oneof(
    { weight: 4, arbitrary: pipelined(fitShot) },
    { weight: 4, arbitrary: trickled(fitShot) },
    { weight: 6, arbitrary: brokenOff(shot) },
    { weight: 2, arbitrary: noise },
    {
      weight: 8,
      arbitrary: fc.constantFrom(...heads, ...bodies).map(([name, bytes]) => fixed(name, bytes)),
    },
  );
}

function fixed(name: string, bytes: Buffer): Oddity {
  return { name, aim: () => ({ parts: [bytes] }), finish: 'end' };
}

function pipelined(shot: Arbitrary<Shot>): Arbitrary<Oddity> {
  return fc.array(shot, { minLength: 2, maxLength: 12 }).map((shots) => ({
    name: 'pipelined',
    aim(world) {
      const requests = shots.map(({ aim }) => aim(world));
      return {
        parts: [Buffer.concat(requests.map((one, n) => toBytes(one, shots[n]?.chunks)))],
        requests,
      };
    },
    finish: 'read',
  }));
}

function trickled(shot: Arbitrary<Shot>): Arbitrary<Oddity> {
  return fc
    .tuple(shot, fc.array(fc.nat(), { minLength: 1, maxLength: 6 }))
    .map(([{ aim, chunks }, cuts]) => ({
      name: 'trickled',
      aim(world) {
        const sent = aim(world);
        const bytes = toBytes(sent, chunks);
        const at = [
          0,
          ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b),
          bytes.length,
        ];
        return { parts: at.slice(1).map((end, n) => bytes.subarray(at[n], end)), requests: [sent] };
      },
      finish: 'read',
    }));
}

/** In the head, in the body, or when all is sent and the answer is on its way. */
function brokenOff(shot: Arbitrary<Shot>): Arbitrary<Oddity> {
  return fc
    .tuple(shot, fc.option(fc.nat(), { nil: undefined }), fc.constantFrom('end', 'hang up'))
    .map(([{ aim, chunks }, cut, finish]) => ({
      name: `broken off, ${finish}`,
      aim(world) {
        const drawn = aim(world);
        // Of an answer without a waiting request it is not known whether it is to HEAD.
        const sent = { ...drawn, method: drawn.method === 'HEAD' ? 'GET' : drawn.method };
        world.note(sent);
        const bytes = toBytes(sent, chunks);
        return { parts: [cut === undefined ? bytes : bytes.subarray(0, cut % bytes.length)] };
      },
      finish,
    }));
}

const noise: Arbitrary<Oddity> = fc
  .tuple(
    fc.uint8Array({ maxLength: 400 }),
    fc.constantFrom('', 'GET /boards HTTP/1.1\r\nHost: a\r\n', 'POST '),
  )
  .map(([bytes, before]) =>
    fixed('noise', Buffer.concat([Buffer.from(before), bytes, text('', '')])),
  );

const get = 'GET /boards?limit=1 HTTP/1.1';

const heads: readonly (readonly [string, Buffer])[] = [
  ['no Host', text(get)],
  ['two Hosts', text(get, 'Host: a', 'Host: b')],
  ['HTTP/1.0', text('GET /boards?limit=1 HTTP/1.0')],
  ['HTTP/0.9', Buffer.from('GET /boards\r\n\r\n')],
  ['HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
  ['HTTP/9.9', text('GET /boards HTTP/9.9', 'Host: a')],
  ['TLS', Buffer.from('16030100c8010000c40303', 'hex')],
  ['bare line feeds', Buffer.from(`${get}\nHost: a\n\n`)],
  ['folded header', text(get, 'Host: a', 'A: b', ' c')],
  ['NUL in a header', text(get, 'Host: a', 'A: b\0c')],
  ['NUL in a name', text(get, 'Host: a', 'A\0: b')],
  ['space before the colon', text(get, 'Host: a', 'Content-Length : 5')],
  ['nameless header', text(get, 'Host: a', ': b')],
  ['3,000 headers', text(get, 'Host: a', ...Array.from({ length: 3_000 }, (_, n) => `a${n}: `))],
  ['long header', text(get, 'Host: a', `A: ${'b'.repeat(20_000)}`)],
  ['long URL', text(`GET /boards?cursor=${'b'.repeat(20_000)} HTTP/1.1`, 'Host: a')],
  ['endless URL', Buffer.from(`GET /${'b'.repeat(300_000)}`)],
  ['raw UTF-8 in the URL', Buffer.from('GET /boards/게시글 HTTP/1.1\r\nHost: a\r\n\r\n')],
  ['space in the URL', text('GET /boards/a b HTTP/1.1', 'Host: a')],
  ['CONNECT', text('CONNECT a:1 HTTP/1.1', 'Host: a')],
  ['other expectation', text(get, 'Host: a', 'Expect: wonders')],
  ['websocket', text(get, 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket')],
  [
    'h2c',
    text(
      get,
      'Host: a',
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABk',
    ),
  ],
];

const bodies: readonly (readonly [string, Buffer])[] = [
  ['waits for 100', withBody(`Content-Length: ${board.length}`, 'Expect: 100-continue')],
  ['length too short', withBody('Content-Length: 5')],
  ['length too long', withBody('Content-Length: 500')],
  ['length of exabytes', withBody('Content-Length: 9007199254740993')],
  ...['-1', '1e1', '+28', '0x1c', '28, 28', '', '99999999999999999999'].map(
    (length) => [`length ${length}`, withBody(`Content-Length: ${length}`)] as const,
  ),
  ['two lengths', withBody('Content-Length: 28', 'Content-Length: 5')],
  ['length and chunks', withBody('Content-Length: 28', 'Transfer-Encoding: chunked')],
  ['no length', withBody()],
  ...['gzip', 'identity', 'chunked, gzip', 'xchunked', 'chunked, chunked', ' chunked'].map(
    (coding) => [`coding ${coding}`, withBody(`Transfer-Encoding: ${coding}`)] as const,
  ),
  ...['zz', '-1', '1c;x="', `1c;${'x'.repeat(20_000)}`, 'fffffffffffffffff', '0x1c', ''].map(
    (size) =>
      [`chunk of ${size.slice(0, 20)}`, chunked(`${size}\r\n${board}\r\n0\r\n\r\n`)] as const,
  ),
  ['chunk without its end', chunked(`1c\r\n${board}0\r\n\r\n`)],
  ['chunk that ends the wrong way', chunked(`1c\r\n${board}\n0\n\n`)],
  [
    'trailers',
    chunked(`1c\r\n${board}\r\n0\r\nIdempotency-Key: late\r\nContent-Length: 1\r\n\r\n`),
  ],
  ['endless trailers', chunked(`1c\r\n${board}\r\n0\r\n${'A: b\r\n'.repeat(5_000)}\r\n`)],
];

function withBody(...headers: readonly string[]): Buffer {
  return Buffer.concat([text(...post, ...headers), Buffer.from(board)]);
}

function chunked(body: string): Buffer {
  return Buffer.concat([text(...post, 'Transfer-Encoding: chunked'), Buffer.from(body)]);
}
