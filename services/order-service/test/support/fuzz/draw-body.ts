import { gzipSync } from 'node:zlib';
import fc, { type Arbitrary } from 'fast-check';
import { bodyLimitBytes } from '../../../src/http/requests.ts';
import { resolveSchema, type Api, type Schema } from './api.ts';
import { fitText, unfitText } from './draw-text.ts';

export interface Body {
  readonly bytes: Buffer;
  readonly isFit: boolean;
}

/**
 * A request's body: one that fits the schema, or one that is wrong in its values, its JSON or its
 * bytes.
 */
export function drawBody(api: Api, schema: Schema): Arbitrary<Body> {
  const { properties = {}, required = [] } = resolveSchema(api, schema);
  const text = fitObject(properties, required).map((value) => JSON.stringify(value));
  const unfit = (body: Arbitrary<string | Buffer>): Arbitrary<Body> =>
    body.map((one) => ({ bytes: Buffer.from(one as string), isFit: false }));
  return fc.oneof(
    { weight: 6, arbitrary: text.map((json) => ({ bytes: Buffer.from(json), isFit: true })) },
    // White space up to the last byte that a body may have.
    { weight: 1, arbitrary: pad(text).map((json) => ({ bytes: Buffer.from(json), isFit: true })) },
    { weight: 3, arbitrary: unfit(wrongValue(text, properties)) },
    { weight: 3, arbitrary: unfit(wrongJson(text)) },
    { weight: 2, arbitrary: unfit(wrongBytes(text)) },
  );
}

function fitObject(properties: Readonly<Record<string, Schema>>, required: readonly string[]) {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, fitValue(schema)]),
  );
  return fc
    .record(fields, { requiredKeys: [...required] })
    .filter((one) => Object.keys(one).length > 0);
}

function fitValue(schema: Schema): Arbitrary<unknown> {
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(fitValue));
  if (schema.type === 'null') return fc.constant(null);
  if (schema.type === 'string') return fitText(schema);
  throw new Error(`the fuzz cannot make a ${JSON.stringify(schema)} yet`);
}

/** Rarely: half a megabyte each. */
function pad(text: Arbitrary<string>): Arbitrary<string> {
  return fc.tuple(text, fc.integer({ min: 0, max: 20 })).map(([json, dice]) => {
    if (dice > 0) return ` \n${json}\t\r\n `;
    return json + ' '.repeat(bodyLimitBytes - Buffer.byteLength(json));
  });
}

const unknownKeys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  '',
  'Title',
  'id',
];

function wrongValue(
  text: Arbitrary<string>,
  properties: Readonly<Record<string, Schema>>,
): Arbitrary<string> {
  const names = Object.keys(properties);
  const change = (json: string, act: (fields: Record<string, unknown>) => void): string => {
    const fields = JSON.parse(json) as Record<string, unknown>;
    act(fields);
    return JSON.stringify(fields);
  };
  const first = (json: string, key: string, value: string): string =>
    `{${JSON.stringify(key)}:${value},${json.slice(1)}`;
  const name = fc.constantFrom(...names);
  return fc.oneof(
    fc
      .tuple(text, name, fc.jsonValue())
      .map(([json, key, value]) => change(json, (all) => void (all[key] = value))),
    fc
      .tuple(text, name)
      .chain(([json, key]) =>
        unfitText(properties[key] ?? {}).map((value) =>
          change(json, (all) => void (all[key] = value)),
        ),
      ),
    fc.tuple(text, name).map(([json, key]) => change(json, (all) => void delete all[key])),
    fc.tuple(text, name).map(([json, key]) => change(json, (all) => void (all[key] = ''))),
    fc.tuple(text, fc.constantFrom(...unknownKeys), fc.json()).map((parts) => first(...parts)),
    fc.tuple(text, fc.string(), fc.json()).map((parts) => first(...parts)),
  );
}

function wrongJson(text: Arbitrary<string>): Arbitrary<string> {
  const size = fc.constantFrom(1, 100, 10_000, 100_000);
  return fc.oneof(
    text.map((json) => `{"title":"first",${json.slice(1)}`),
    text.map((json) => `{"\\u0074itle":"first",${json.slice(1)}`),
    fc.tuple(text, fc.nat()).map(([json, at]) => json.slice(0, at % json.length)),
    fc
      .tuple(text, fc.constantFrom('}', ',', '{}', 'x', '\0', '//'))
      .map(([json, more]) => json + more),
    fc.json(),
    fc.constantFrom(
      '',
      ' ',
      'null',
      '[]',
      '0',
      '""',
      '-',
      '1e400',
      '{"title":NaN}',
      "{'title':'a'}",
      '{title:"a"}',
    ),
    size.map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
    size.map((depth) => '['.repeat(depth)),
    size.map(
      (depth) => `{"title":${'{"a":'.repeat(depth / 2)}1${'}'.repeat(depth / 2)},"content":""}`,
    ),
    size.map((count) => `{"title":[${'0,'.repeat(count)}0],"content":""}`),
    size.map((count) => `{${Array.from({ length: count / 10 }, (_, n) => `"k${n}":1`).join(',')}}`),
    size.map(
      (count) =>
        `{"title":"${'\\'.repeat(count * 2)}","content":"\\"${'\\\\\\"'.repeat(count / 2)}"}`,
    ),
    size.map((count) => `{"title":1${'0'.repeat(count)},"content":"a"}`),
    fc
      .constantFrom(1, 2, 1_000)
      .map((more) => `{"title":"${'x'.repeat(bodyLimitBytes - 12 + more)}"}`),
  );
}

function wrongBytes(text: Arbitrary<string>): Arbitrary<Buffer> {
  return fc.oneof(
    text.map((json) => Buffer.from(json, 'utf16le')),
    text.map((json) => Buffer.from(`\ufeff${json}`, 'utf16le')),
    text.map((json) => Buffer.from(json, 'utf16le').swap16()),
    text.map((json) => Buffer.from(`\ufeff${json}`)),
    text.map((json) => Buffer.from(json.replace('{', '{"é":"ÿ",'), 'latin1')),
    text.map((json) => gzipSync(json)),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom('c080', 'eda080', 'f5808080', 'ff', 'c3', '00')
      .map((hex) =>
        Buffer.concat([
          Buffer.from('{"title":"'),
          Buffer.from(hex, 'hex'),
          Buffer.from('","content":""}'),
        ]),
      ),
  );
}
