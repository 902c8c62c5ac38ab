import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogConsumer, headerNames } from '@board/contracts';
import { runMigrations } from '@board/mysql';
import { compileCache, databaseEnvironment, waitUntil } from '@board/test';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { openInboxLab, type InboxLab } from '../../packages/inbox/test/support/inbox-lab.ts';
import { appliedVersions, thingLogHandler } from '../../packages/inbox/test/support/thing-log.ts';
import { migrations } from '../../services/catalog-service/src/database/migrations.ts';

let lab: InboxLab;
let folder: string;
let failing: Set<string>;

beforeAll(async () => {
  lab = await openInboxLab(inject('stack'));
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ops-'));
  failing = new Set();
});
afterEach(async () => {
  await rm(folder, { recursive: true });
  await lab.reset();
});
afterAll(() => lab.close());

interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** The whole environment of the commands: the addresses of the lab. */
function environment(): Record<string, string> {
  return {
    ...compileCache,
    ...databaseEnvironment(lab.schema.connection),
    KAFKA_BROKERS: lab.stack.brokers.join(','),
    REGISTRY_URL: lab.stack.registryUrl,
  };
}

const fileOf = (program: 'dlq' | 'inbox'): string =>
  join(import.meta.dirname, `../commands/${program}.ts`);
const consumer = (): string[] => ['--consumer', `${lab.group}/${lab.topic}/thing`];

/** Runs a command without a terminal. */
function run(
  program: 'dlq' | 'inbox',
  args: readonly string[],
  whose = consumer(),
  env = environment(),
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [fileOf(program), ...args, ...whose],
      { env },
      (_error, out, err) => resolve({ exitCode: child.exitCode ?? -1, out, err }),
    );
  });
}

function lines(out: string): Record<string, unknown>[] {
  return out
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const applied = () => appliedVersions(lab.schema.root);

function start() {
  const sabotage = ({ aggregateId, version }: { aggregateId: string; version: number }): void => {
    if (failing.has(`${aggregateId}/${version}`)) throw new Error('planted\nin two lines');
  };
  return lab.start(thingLogHandler({ sabotage }), { retryTiers: 1, settings: { retryBaseMs: 20 } });
}

const open = async (): Promise<number> =>
  (await lab.rows('SELECT letter FROM dead_letter WHERE closed_at IS NULL')).length;

describe('dlq', () => {
  it('what list prints can be shown, exported and replayed', async () => {
    failing.add('a/1');
    await start();
    const record = lab.thing('a', 1, { text: '안녕 🎉' });
    await lab.produce([record, lab.thing('a', 2)]);
    await waitUntil('a dead letter', async () => (await open()) === 1);
    await lab.caughtUp();
    const name = record.headers[headerNames.eventId] ?? '';

    const list = await run('dlq', ['list', '--json']);
    expect(list.exitCode).toBe(0);
    const [listed] = lines(list.out);
    expect(listed).toMatchObject({
      id: name,
      letter: name,
      aggregateId: 'a',
      version: 1,
      markVersion: 0,
      closedAt: null,
    });

    const show = await run('dlq', ['show', name, '--json']);
    const [shown] = lines(show.out);
    expect(shown).toMatchObject({
      ...listed,
      followers: { count: 1, firstVersion: 2, lastVersion: 2 },
    });
    expect(shown?.['payload']).toMatchObject({ kind: 'decoded', event: { text: '안녕 🎉' } });
    expect(shown?.['record']).toMatchObject({
      valueBase64: (record.value as Buffer).toString('base64'),
      headers: { [headerNames.version]: '1', 'inbox-reason': 'attempts-exhausted' },
    });

    const file = join(folder, 'dead-letters.jsonl');
    expect((await run('dlq', ['export', '--out', file])).exitCode).toBe(0);
    expect(lines(await readFile(file, 'utf8'))).toEqual([shown]);
    expect(lines((await run('dlq', ['export'])).out)).toEqual([shown]);
    expect(await run('dlq', ['export', '--out', file])).toEqual({
      exitCode: 2,
      out: '',
      err: `--out names ${file}, which exists already: choose another name.\n`,
    });

    const text = await run('dlq', ['list']);
    expect(text.out.split('\n')).toHaveLength(3);
    expect(text.out).toMatch(/^dead letter .*\n.* attempts-exhausted .*Error: planted\n$/);
    // eslint-disable-next-line no-control-regex -- colours are what must not be there
    expect(`${text.out}${text.err}`).not.toMatch(/\u001b/);

    failing.clear();
    const dry = await run('dlq', ['replay', '--all', '--dry-run', '--json']);
    expect(lines(dry.out)).toEqual([
      { id: name, letter: name, aggregateId: 'a', version: 1, outcome: 'would-replay' },
    ]);
    const dryText = await run('dlq', ['replay', '--all', '--dry-run']);
    expect(dryText.out).toMatch(/^dead letter .*\n.* would-replay\n$/);
    expect(dryText.err).toBe('1 dead letter: 1 would-replay\n');
    const replay = await run('dlq', ['replay', '--error', 'PLANTED', '--json']);
    expect(lines(replay.out)).toEqual([
      { id: name, letter: name, aggregateId: 'a', version: 1, outcome: 'replayed' },
    ]);
    expect(replay.exitCode).toBe(0);
    await waitUntil('applied', async () => (await applied()).get('a')?.length === 2);
    expect(lines((await run('dlq', ['replay', name, '--json'])).out)).toMatchObject([
      { outcome: 'superseded' },
    ]);
    expect(lines((await run('dlq', ['list', '--json'])).out)).toEqual([]);
    expect(lines((await run('dlq', ['list', '--closed', '--json'])).out)).toMatchObject([
      { closedBy: 'applied' },
    ]);
  });

  it('replay succeeds when no dead letter matches and fails for an unknown one', async () => {
    const nothing = { exitCode: 0, out: '', err: 'No dead letter matches.\n' };
    expect(await run('dlq', ['replay', '--all'])).toEqual(nothing);
    expect(await run('dlq', ['replay', '--aggregate', 'unknown'])).toEqual(nothing);
    // A value that an object has a property for.
    expect(await run('dlq', ['replay', '--error', 'constructor'])).toEqual(nothing);
    expect(await run('dlq', ['replay', '--board=unknown'])).toEqual({
      ...nothing,
      err:
        '--board is called --aggregate now; the old name goes with the next ' +
        `release.\n${nothing.err}`,
    });
    expect(await run('dlq', ['replay', 'nope'])).toEqual({
      exitCode: 1,
      out: '',
      err: 'nope: there is no such dead letter; "list --all" shows those there are.\n',
    });
  });

  it('skip and dismiss need --yes without a terminal, and print what they did', async () => {
    failing.add('a/1');
    await start();
    await lab.produce([
      lab.thing('a', 1),
      lab.thing('a', 2),
      lab.thing('x', 1, { headers: { [headerNames.version]: '-1' } }),
    ]);
    await waitUntil('two dead letters', async () => (await open()) === 2);

    const unsure = await run('dlq', ['skip', 'a', '1', '--reason', 'hopeless']);
    expect(unsure).toMatchObject({ exitCode: 2, out: '' });
    expect(unsure.err).toMatch(/--yes/);
    expect(await lab.rows('SELECT * FROM skipped')).toEqual([]);
    const early = await run('dlq', ['skip', 'a', '2', '--reason', 'hopeless', '--yes']);
    expect(early).toMatchObject({ exitCode: 1, out: 'The mark is 0: version 1 comes first.\n' });
    const skip = await run('dlq', ['skip', 'a', '1', '--reason', 'hopeless', '--yes', '--json']);
    expect(skip.exitCode).toBe(0);
    expect(lines(skip.out)).toMatchObject([{ aggregateId: 'a', version: 1, outcome: 'skipped' }]);
    await waitUntil('released', async () => (await applied()).get('a')?.includes(2));

    const [nameless] = lines((await run('dlq', ['list', '--json', '--reason', 'no-identity'])).out);
    const deadLetter = String(nameless?.['id']);
    expect(lines((await run('dlq', ['replay', deadLetter, '--json'])).out)).toMatchObject([
      { outcome: 'no-identity' },
    ]);
    const dismiss = (name: string) =>
      run('dlq', ['dismiss', name, '--reason', 'seen', '--yes', '--json']);
    const done = await dismiss(deadLetter);
    expect(lines(done.out)).toEqual([{ id: deadLetter, letter: deadLetter, outcome: 'dismissed' }]);
    expect(done.exitCode).toBe(0);
    expect((await dismiss('no-such-dead-letter')).exitCode).toBe(1);
    expect(await open()).toBe(0);
  });

  it('dismiss --without-identity closes the dead letters that match and no others', async () => {
    failing.add('a/1');
    await start();
    const nameless = () => lab.thing('x', 1, { headers: { [headerNames.version]: '-1' } });
    await lab.produce([lab.thing('a', 1), nameless(), nameless()]);
    await waitUntil('three dead letters', async () => (await open()) === 3);
    const dismiss = (...flags: string[]) =>
      run('dlq', ['dismiss', '--reason', 'not ours', '--yes', ...flags]);

    expect((await dismiss()).err).toMatch(/--without-identity/);
    expect((await dismiss('x', '--without-identity')).exitCode).toBe(2);
    expect((await dismiss('x', '--since', '1h')).exitCode).toBe(2);
    expect((await dismiss('--without-identity', '--never-existed')).exitCode).toBe(2);
    expect(await dismiss('--without-identity', '--error', 'another')).toMatchObject({
      exitCode: 0,
      err: 'No dead letter matches.\n',
    });
    expect(await open()).toBe(3);

    const done = await dismiss('--without-identity', '--since', '1h', '--json');
    expect(done).toMatchObject({ exitCode: 0, err: '2 dead letters dismissed\n' });
    expect(lines(done.out).map(({ outcome }) => outcome)).toEqual(['dismissed', 'dismissed']);
    expect(lines((await run('dlq', ['list', '--json'])).out)).toMatchObject([
      { reason: 'attempts-exhausted' },
    ]);
    const closed = await lab.rows(
      'SELECT closed_by, closed_reason FROM dead_letter WHERE closed_at IS NOT NULL',
    );
    expect(closed).toEqual(
      Array.from({ length: 2 }, () => ({ closed_by: 'dismissed', closed_reason: 'not ours' })),
    );
  });

  it('skip --lost refuses an unknown aggregate and a version without followers', async () => {
    await start();
    await lab.produce([lab.thing('a', 1)]);
    await waitUntil('applied', async () => (await applied()).has('a'));
    const skip = (board: string, version: string, ...flags: string[]) =>
      run('dlq', ['skip', board, version, '--lost', '--reason', 'lost', '--yes', ...flags]);

    const unknown = await skip('nope', '1', '--without-followers');
    expect(unknown.out).toMatch(/^This consumer does not know the aggregate nope: /);
    expect(unknown.exitCode).toBe(1);
    const early = await skip('a', '2');
    expect(early.out).toMatch(
      /^Nothing is parked behind version 2, .*aggregate a .*--without-followers in --help\.\n$/,
    );
    expect(early.exitCode).toBe(1);
    expect(await lab.rows('SELECT * FROM skipped')).toEqual([]);
    expect((await skip('a', '2', '--without-followers')).exitCode).toBe(0);

    await lab.produce([lab.thing('a', 4)]);
    await waitUntil('parked', async () => (await lab.rows('SELECT * FROM parked')).length === 1);
    expect((await skip('a', '3')).exitCode).toBe(0);
    await waitUntil('released', async () => (await applied()).get('a')?.includes(4));
  });

  it('an interrupted replay has recorded what it sent, and the next one goes on', async () => {
    for (let board = 0; board < 30; board += 1) failing.add(`a${board}/1`);
    const first = await start();
    await lab.produce([...failing].map((place) => lab.thing(place.split('/')[0] ?? '', 1)));
    await waitUntil('30 dead letters', async () => (await open()) === 30);
    await first.stop();
    const args = [fileOf('dlq'), 'replay', '--all', '--rate', '8', '--json', ...consumer()];
    const child = spawn(process.execPath, args, {
      env: environment(),
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (out.split('\n').length > 4) child.kill('SIGINT');
    });
    const [exitCode] = (await once(child, 'close')) as [number | null];
    expect(exitCode).toBe(1);
    const sent = lines(out).filter(({ outcome }) => outcome === 'replayed').length;
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(30);
    const outcomes = lines((await run('dlq', ['replay', '--all', '--json'])).out).map(
      ({ outcome }) => outcome,
    );
    expect(outcomes.filter((outcome) => outcome === 'in-flight')).toHaveLength(sent);
    expect(outcomes.filter((outcome) => outcome === 'replayed')).toHaveLength(30 - sent);
  });
});

describe('inbox', () => {
  it('status shows what is parked, and discard moves it to the DLQ', async () => {
    await start();
    await lab.produce([lab.thing('a', 7)]);
    await waitUntil('parked', async () => (await lab.rows('SELECT * FROM parked')).length === 1);
    await lab.caughtUp();
    const status = await run('inbox', ['status', '--json']);
    expect(status.exitCode).toBe(0);
    expect(lines(status.out)).toMatchObject([
      {
        consumer: lab.group,
        marks: 0,
        parked: { rows: 1 },
        parkedAggregates: [{ aggregateId: 'a', firstVersion: 7 }],
        openDeadLetters: {},
        openLetters: {},
      },
    ]);
    const none = await run('inbox', ['status', '--boards', '0', '--json']);
    expect(lines(none.out)).toMatchObject([{ parkedAggregates: [] }]);
    expect(lines(status.out)).toMatchObject([{ missing: { count: 0, reasons: [] } }]);
    await lab.rows(
      `INSERT INTO missing_range VALUES (?, ?, 1, 3, 4, 'records 3 to 4 were deleted', 1, NULL)`,
      [lab.group, lab.topic],
    );
    const text = (await run('inbox', ['status'])).out;
    expect(text).toMatch(/a: mark 0, waits for version 1; 1 parked/);
    expect(text).toMatch(
      /^missing +1 range of records, until an audit is clean\n +records 3 to 4 were deleted$/m,
    );
    expect(lines((await run('inbox', ['status', '--json'])).out)).toMatchObject([
      { missing: { count: 1, reasons: ['records 3 to 4 were deleted'] } },
    ]);
    const discard = (version: string) =>
      run('inbox', ['discard', 'a', version, '--reason', 'forged', '--yes']);
    expect((await discard('6')).exitCode).toBe(1);
    expect((await discard('7')).exitCode).toBe(0);
    expect(lines((await run('dlq', ['list', '--json'])).out)).toMatchObject([
      { reason: 'discarded', version: 7 },
    ]);
  });

  it('baseline and rebuild are refused for a running or an unnamed consumer', async () => {
    await runMigrations(lab.schema.connection, migrations);
    const rebuild = await run('inbox', ['rebuild', '--yes', '--json'], []);
    expect(rebuild.exitCode).toBe(1);
    expect(lines(rebuild.out)).toMatchObject([{ outcome: 'has-members' }]);
    const rows = join(folder, 'rows.jsonl');
    await writeFile(rows, '');
    const baseline = await run('inbox', ['baseline', rows, '--yes'], []);
    expect(baseline).toMatchObject({ exitCode: 1, out: '' });
    expect(baseline.err).toMatch(/started before/);
    expect((await run('inbox', ['rebuild', '--yes'])).exitCode).toBe(2);
    await lab.rows(
      `INSERT INTO missing_range VALUES (?, 'board', 1, 3, 4, 'records 3 to 4 of board/1', 1,
        NULL)`,
      [catalogConsumer.group],
    );
    const shortened = await run('inbox', ['rebuild', '--yes', '--json'], []);
    expect(shortened.exitCode).toBe(2);
    expect(lines(shortened.out)).toMatchObject([
      { outcome: 'has-gaps', gaps: [{ kind: 'missing' }] },
    ]);
    expect(shortened.err).toMatch(
      /^Nothing was deleted: .*\n {2}records 3 to 4 of board\/1: .* cannot come back\.\n.*--/,
    );
    // With the confirmation it goes on to the next obstacle, and without one its question names
    // what is lost.
    const accepted = await run('inbox', ['rebuild', '--yes', '--shortened', '--json'], []);
    expect(lines(accepted.out)).toMatchObject([{ outcome: 'has-members' }]);
    const unsure = await run('inbox', ['rebuild', '--shortened'], []);
    expect(unsure).toMatchObject({ exitCode: 2, out: '' });
    expect(unsure.err).toMatch(/^ {2}records 3 to 4 of board\/1: .*\nDelete all rows/);
    expect(catalogConsumer.group).toBe('catalog-service');
  });
});

describe('dlq and inbox', () => {
  it.each(['dlq', 'inbox'] as const)(
    '%s refuses the database of another consumer',
    async (program) => {
      const env = { ...environment(), DATABASE_NAME: 'catalog_service' };
      const ran = await run(
        program,
        [program === 'dlq' ? 'list' : 'status'],
        ['--consumer', 'comments'],
        env,
      );
      expect(ran).toMatchObject({ exitCode: 2, out: '' });
      expect(ran.err).toContain(
        '--consumer got "comments"; DATABASE_NAME is catalog_service, the database of catalog',
      );
    },
  );

  it.each([
    ['dlq', ['replay'], /Which dead letters/],
    ['dlq', ['list', '--since', 'yesterday'], /how long ago/],
    ['dlq', ['skip', 'a', '0', '--reason', 'x'], /integer/],
    ['dlq', ['skip', 'a', '1'], /--reason/],
    ['dlq', ['bogus'], /unknown command/],
    ['inbox', ['baseline', '/nope'], /^baseline names \/nope, and there is no such file\.\n$/],
    ['inbox', ['status', '--consumer', 'no-such-consumer'], /--consumer got "no-such-consumer"/],
  ] as const)('%s %j is a usage error: exit code 2', async (program, args, sentence) => {
    const { exitCode, out, err } = await run(program, args, []);
    expect(err).toMatch(sentence);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
  });

  it('name the variable that is wrong, and exit with 1 when a server does not answer', async () => {
    const wrong = await run('dlq', ['list'], [], { ...environment(), DATABASE_PORT: 'many' });
    expect(wrong.exitCode).toBe(2);
    expect(wrong.err).toMatch(/DATABASE_PORT: got "many"/);
    const away = await run('dlq', ['list'], [], { ...environment(), DATABASE_PORT: '19' });
    expect(away.exitCode).toBe(1);
    expect(away.err).toMatch(/^the database at 127\.0\.0\.1:19 cannot be used/);
    expect(away.err).not.toMatch(/\n {4}at /);
  });

  it.each([
    ['dlq', 'list'],
    ['dlq', 'show'],
    ['dlq', 'replay'],
    ['dlq', 'skip'],
    ['dlq', 'dismiss'],
    ['dlq', 'export'],
    ['inbox', 'status'],
    ['inbox', 'discard'],
    ['inbox', 'baseline'],
    ['inbox', 'rebuild'],
  ] as const)('%s %s --help has an example', async (program, command) => {
    const { exitCode, out } = await run(program, [command, '--help'], [], {});
    expect(out).toMatch(new RegExp(`Example: npm run (--silent )?${program} -- ${command}`));
    expect(exitCode).toBe(0);
  });
});
