import fc, { type Arbitrary } from 'fast-check';
import type { Api, Parameter, Schema } from './api.ts';
import { drawBody, type Body } from './draw-body.ts';
import { encodedText, fitText, headerText } from './draw-text.ts';
import type { Shot } from './shot.ts';
import type { World } from './world.ts';

type Lines = readonly (readonly [string, string])[];

/** A piece of a request, as text once it is known what has been created. */
interface Piece<Value> {
  readonly aim: (world: World) => Value;
  readonly isFit: boolean;
}

const fit = <Value>(aim: (world: World) => Value): Piece<Value> => ({ aim, isFit: true });
const unfit = <Value>(value: Value): Piece<Value> => ({ aim: () => value, isFit: false });

/**
 * A request to an operation of the document: as it describes it, or wrong in one place or several.
 */
export function drawShot(api: Api, { fitness = 4 } = {}): Arbitrary<Shot> {
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => drawOperation(api, path, method, fitness)),
  );
  return fc.oneof(...operations);
}

function drawOperation(api: Api, path: string, verb: string, fitness: number): Arbitrary<Shot> {
  const { parameters = [], requestBody } = api.paths[path]?.[verb] ?? {};
  const method = verb.toUpperCase();
  const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  const mostlyFit = <Value>(
    good: Arbitrary<Piece<Value>>,
    bad: Arbitrary<Piece<Value>>,
  ): Arbitrary<Piece<Value>> =>
    fitness === Infinity
      ? good
      : fc.oneof({ weight: fitness, arbitrary: good }, { weight: 1, arbitrary: bad });
  const of = (place: Parameter['in']) => parameters.filter((one) => one.in === place);
  const body = content ? drawBody(api, content.schema) : rareBody;

  return fc
    .record({
      verb: method === 'GET' ? fc.constantFrom('GET', 'GET', 'GET', 'HEAD') : fc.constant(method),
      path: mostlyFit(fitPath(path, of('path')), unfitPath(path)),
      query: mostlyFit(fitQuery(of('query')), unfitQuery(of('query'))),
      headers: mostlyFit(fitHeaders(of('header')), unfitHeaders(of('header'))),
      extra: mostlyFit(fitExtra, unfitExtra),
      type:
        type === undefined
          ? fc.constant(fit((): Lines => []))
          : mostlyFit(fitType(type), unfitType(type)),
      body: fitness === Infinity ? body.filter((one) => one === undefined || one.isFit) : body,
      chunks: fc.option(
        fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 5 }),
        {
          freq: 8,
          nil: undefined,
        },
      ),
    })
    .map(({ verb: sent, body: drawn, chunks, ...pieces }) => ({
      aim: (world) => ({
        method: sent,
        target: pieces.path.aim(world) + pieces.query.aim(world),
        headers: [
          ...pieces.type.aim(world),
          ...pieces.headers.aim(world),
          ...pieces.extra.aim(world),
        ],
        body: drawn?.bytes,
      }),
      // HEAD / is refused: it would create.
      isFit:
        Object.values(pieces).every((piece) => piece.isFit) &&
        drawn?.isFit !== false &&
        !(path === '/' && sent === 'HEAD'),
      chunks: drawn ? chunks : undefined,
    }));
}

/** GET and DELETE have no use for a body, and no trouble with one. */
const rareBody: Arbitrary<Body | undefined> = fc
  .option(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ bytes: Buffer.from(bytes), isFit: true })),
    { freq: 20, nil: undefined },
  )
  .map((body) => body ?? undefined);

function fitPath(path: string, parameters: readonly Parameter[]): Arbitrary<Piece<string>> {
  return fc.nat().map((choice) =>
    fit((world) => {
      const id = path.startsWith('/comments/') ? world.comment(choice) : world.board(choice);
      return parameters.reduce((text, { name }) => text.replace(`{${name}}`, id), path);
    }),
  );
}

function unfitPath(path: string): Arbitrary<Piece<string>> {
  return fc.oneof(
    encodedText.map((text) =>
      unfit(path.includes('{') ? path.replace(/\{\w+\}/, text) : `${path}/${text}`),
    ),
    fc.uuid().map((id) => unfit(path.replace(/\{\w+\}/, id))),
    fc.constantFrom('/', '//', '/.', '?', '%20', '#x', '/x/y').map((end) => unfit(path + end)),
  );
}

/**
 * What fits a parameter of this name and schema; names that the fuzz does not know get a text that
 * fits the schema.
 */
function fitParameter({ name, schema }: Parameter): Arbitrary<(world: World) => string> {
  switch (name) {
    case 'If-Match':
    case 'If-None-Match':
      return fc.tuple(fc.nat(), fc.boolean()).map(
        ([choice, isAny]) =>
          (world) =>
            isAny ? '*' : `"${world.version(choice)}"`,
      );
    case 'Idempotency-Key':
      return fc
        .oneof(
          fc.uuid(),
          fc.uuid(),
          fc.uuid(),
          fc.constantFrom('again-1', 'again-2', '"again-1"', 'again-3'),
        )
        .map((key) => () => key);
    case 'cursor':
      return fc.nat().map((choice) => (world) => world.cursor(choice));
    default:
      return schema.type === 'integer'
        ? fitInteger(schema)
        : fitText(schema).map((text) => () => encodeURIComponent(text));
  }
}

function fitInteger({ minimum: min = 0, maximum: max = 1_000 }: Schema): Arbitrary<() => string> {
  return fc
    .oneof(fc.integer({ min, max: Math.min(max, min + 9) }), fc.constantFrom(min, max))
    .map((n) => () => String(n));
}

/** Each optional one now and then; the long ones of a query do not fit a URL, and are not sent. */
function chosen(parameters: readonly Parameter[]) {
  return fc.tuple(
    ...parameters.map((parameter) =>
      fc
        .tuple(fitParameter(parameter), fc.boolean())
        .map(([aim, isSent]) => (world: World): (readonly [string, string])[] => {
          const value = aim(world);
          const isWanted = parameter.required === true || (isSent && value !== '');
          return isWanted ? [[parameter.name, value.length > 8_000 ? 'long' : value]] : [];
        }),
    ),
  );
}

function fitQuery(parameters: readonly Parameter[]): Arbitrary<Piece<string>> {
  return chosen(parameters).map((all) =>
    fit((world) => {
      const pairs = all.flatMap((aim) => aim(world)).map(([name, value]) => `${name}=${value}`);
      return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
    }),
  );
}

function unfitQuery(parameters: readonly Parameter[]): Arbitrary<Piece<string>> {
  const names = [
    ...parameters.map(({ name }) => name),
    '__proto__',
    'constructor',
    'limit[]',
    'LIMIT',
    '%ff',
    '',
    '%00',
  ];
  const values = fc.oneof(
    encodedText,
    fc.constantFrom('0', '-1', '101', '1e2', '0x10', '1.5', '１', ' ', '1%20', ''),
  );
  const pair = fc
    .tuple(fc.constantFrom(...names), values)
    .map(([name, value]) => `${name}=${value.replace(' ', '%20')}`);
  return fc
    .array(pair, { minLength: 1, maxLength: 6 })
    .map((pairs) => unfit(`?${pairs.join('&')}`));
}

function fitHeaders(parameters: readonly Parameter[]): Arbitrary<Piece<Lines>> {
  return chosen(parameters).map((all) => fit((world) => all.flatMap((aim) => aim(world))));
}

function unfitHeaders(parameters: readonly Parameter[]): Arbitrary<Piece<Lines>> {
  const name = fc.constantFrom(...parameters.map((one) => one.name));
  const line = fc.tuple(
    fc.tuple(name, fc.boolean()).map(([one, low]) => (low ? one.toLowerCase() : one)),
    headerText,
  );
  return fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => unfit(lines));
}

const traces = [
  '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more',
  '00-00000000000000000000000000000000-b7ad6b7169203331-01',
  'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01',
];

/** Headers that every request may have, whatever they hold. */
const fitExtra: Arbitrary<Piece<Lines>> = fc
  .array(
    fc.oneof(
      fc.constantFrom(...traces).map((value) => ['traceparent', value] as const),
      fc.tuple(
        fc.constantFrom('traceparent', 'X-Request-Id', 'Accept', 'Cookie', 'User-Agent', 'Range'),
        headerText,
      ),
      fc.constant(['Accept-Encoding', 'gzip, br'] as const),
    ),
    { maxLength: 2 },
  )
  .map((lines) =>
    fit(() => lines.filter(([, value]) => [...value].every(isVisible) && value.length < 2_000)),
  );

const isVisible = (one: string): boolean => one >= ' ' && one !== '\x7f';

const unfitExtra: Arbitrary<Piece<Lines>> = fc
  .tuple(
    fc.constantFrom(
      'Sec-Fetch-Site',
      'Sec-Purpose',
      'Content-Encoding',
      'X-HTTP-Method-Override',
      'Cookie',
      'Authorization',
    ),
    fc.oneof(
      headerText,
      fc.constantFrom('gzip', 'br', 'identity', 'cross-site', 'prefetch', 'DELETE'),
    ),
  )
  .map((line) => unfit([line]));

function fitType(type: string): Arbitrary<Piece<Lines>> {
  return fc
    .constantFrom(type, `${type}; charset=utf-8`, type.toUpperCase(), `${type};charset="UTF-8"`)
    .map((value) => fit(() => [['Content-Type', value]]));
}

function unfitType(type: string): Arbitrary<Piece<Lines>> {
  const value = fc.oneof(
    headerText,
    fc.constantFrom(
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      `${type}; charset=utf-16`,
    ),
    fc.constantFrom(
      `${type}; charset=latin1`,
      `${type}, ${type}`,
      `${type}; charset`,
      `${type};;`,
      `${type}+x`,
    ),
  );
  return fc
    .array(value, { maxLength: 2 })
    .map((values) => unfit(values.map((one) => ['Content-Type', one] as const)));
}
