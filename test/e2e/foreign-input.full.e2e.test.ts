import { waitUntil } from '@board/test';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { foreignDeadLetters } from '../survival/foreign-records.ts';
import { startTraffic, type Ledger, type LedgerBoard } from '../survival/ledger.ts';
import { runStep, steps, untilNewBoardApplied } from '../survival/steps.ts';
import { startSurvivalStack, type SurvivalStack } from '../survival/survival-stack.ts';

// One sequence on a stack of its own: each test goes on where the one before stopped, without a
// human.
const stepTimeoutMs = 900_000;
const deadLetterAlarm = 'dead letters';

interface BoardRow {
  readonly id: string;
  readonly version: number;
  readonly title: string;
  readonly content: string;
  readonly isDeleted: number;
}
type CatalogRow = BoardRow & { readonly appliedCount: number; readonly mark: number };

interface OpenDeadLetter {
  readonly id: string;
  readonly reason: string;
  readonly eventId: string | null;
}

let stack: SurvivalStack;
let ledger: Ledger;

beforeAll(async () => {
  stack = await startSurvivalStack('survival');
  ledger = startTraffic(stack.orderServiceUrl);
  await untilNewBoardApplied(stack, 60_000);
}, stepTimeoutMs);

afterAll(async () => {
  await ledger?.stop();
  await stack?.stop();
}, stepTimeoutMs);

test.for(steps)(
  '$name: a board that is posted after it is applied',
  { timeout: stepTimeoutMs },
  async (step) => {
    say(await runStep(stack, step));
    expect(await deadLettersOfBoards()).toEqual([]);
  },
);

test(
  'every operation that was answered is in the catalog, and none that failed',
  { timeout: stepTimeoutMs },
  async () => {
    await ledger.stop();
    await untilNewBoardApplied(stack, 60_000);
    await waitUntil('nothing on its way', async () => isIdle(await statusOfInbox()), {
      timeoutMs: 120_000,
      everyMs: 1_000,
    });
    const { ok, fail, info } = ledger.counts;
    say(
      `${ok + fail + info} operations: ${ok} ok, ${fail} fail, ${info} info; ${ledger.boards.size} boards`,
    );
    say(`answers: ${JSON.stringify(Object.fromEntries(ledger.answers))}`);
    expect(ok).toBeGreaterThan(1_000);

    const [orders, catalog] = [await ordersById(), await catalogById()];
    const wrong = [...ledger.boards.values()].filter(
      (board) => !isAsAnswered(board, catalog.get(board.id)),
    );
    expect(wrong).toEqual([]);
    const failed = [...orders.values(), ...catalog.values()].filter(({ title }) =>
      ledger.failedTitles.has(title),
    );
    expect(failed).toEqual([]);
    // The outcome of the others is unknown: both sides must agree on it.
    expect(new Map([...catalog].map(([id, row]) => [id, withoutCounts(row)]))).toEqual(orders);
  },
);

test('every event was applied once', async () => {
  const rows = [...(await catalogById()).values()];
  say(`${rows.reduce((sum, { version }) => sum + version, 0)} events applied`);
  expect(
    rows.filter(({ version, mark, appliedCount }) => appliedCount !== mark || version !== mark),
  ).toEqual([]);
});

test('the audit is clean', { timeout: stepTimeoutMs }, async () => {
  const report = JSON.parse(await output('audit', '--json')) as {
    outcome: string;
    compared: number;
    inStep: number;
  };
  expect(report).toMatchObject({ outcome: 'clean', inStep: report.compared });
});

test(
  'the dead letters are the foreign records, and no event of a board',
  { timeout: stepTimeoutMs },
  async () => {
    const lines = (await output('dlq', 'list', '--json')).trim().split('\n');
    const openDeadLetters = lines.map((line) => JSON.parse(line) as OpenDeadLetter);
    say(`${openDeadLetters.length} dead letters`);
    expect(
      openDeadLetters.filter(({ eventId, reason }) => eventId !== null || reason !== 'no-identity'),
    ).toEqual([]);
    expect(openDeadLetters).toHaveLength(foreignDeadLetters);
  },
);

test('the alarms name the dead letters and nothing else', { timeout: stepTimeoutMs }, async () => {
  for (const url of stack.catalogUrls)
    await waitUntil(`only dead letters in ${url}/alarms`, async () => {
      const { status, alarms } = await readAlarms(url);
      return (
        status === 503 &&
        Object.keys(alarms).join() === deadLetterAlarm &&
        mentionsOnlyForeign(alarms)
      );
    });
  for (const url of [stack.orderServiceUrl, stack.keeperUrl]) await untilQuiet(url);
});

test(
  'once the foreign dead letters are dismissed nothing is wrong',
  { timeout: stepTimeoutMs },
  async () => {
    await output('dlq', 'dismiss', '--without-identity', '--reason', 'not ours', '--yes');
    for (const url of stack.catalogUrls) await untilQuiet(url);
    const status = await statusOfInbox();
    expect(isIdle(status)).toBe(true);
    expect(status.openDeadLetters).toEqual({});
  },
);

/** What an operator's command prints; it must end with 0. */
async function output(command: string, ...args: readonly string[]): Promise<string> {
  const done = await stack.run(command, ...args);
  if (done.code !== 0)
    throw new Error(
      `${command} ${args.join(' ')} ended with ${done.code}: ${done.problems}\n${done.output.slice(0, 4_000)}`,
    );
  return done.output;
}

async function deadLettersOfBoards(): Promise<unknown[]> {
  return stack.query(
    'SELECT letter, reason, error_message FROM catalog_service.dead_letter WHERE event_id IS NOT NULL',
  );
}

const columns = 'version, title, content, deleted_at IS NOT NULL AS isDeleted';

async function ordersById(): Promise<Map<string, BoardRow>> {
  return byId(
    await stack.query<BoardRow>(`SELECT id, ${columns} FROM order_service.board ORDER BY id`),
  );
}

async function catalogById(): Promise<Map<string, CatalogRow>> {
  return byId(
    await stack.query<CatalogRow>(
      `SELECT catalog.id, catalog.version, title, content, deleted_at IS NOT NULL AS isDeleted,
         applied_count AS appliedCount, mark.version AS mark
       FROM catalog_service.catalog LEFT JOIN catalog_service.mark
         ON mark.consumer = 'catalog-service' AND mark.aggregatetype = 'board' AND mark.aggregateid = catalog.id
       ORDER BY catalog.id`,
    ),
  );
}

function byId<Row extends BoardRow>(rows: readonly Row[]): Map<string, Row> {
  return new Map(rows.map((row) => [row.id, row]));
}

function withoutCounts({ id, version, title, content, isDeleted }: CatalogRow): BoardRow {
  return { id, version, title, content, isDeleted };
}

/**
 * The row that the answers of the board's operations say; or the one after it, where the last
 * outcome is not known.
 */
function isAsAnswered(board: LedgerBoard, row: CatalogRow | undefined): boolean {
  if (row === undefined) return false;
  const { version, title, content, isDeleted, unknown } = board;
  if (row.version === version)
    return row.title === title && row.content === content && row.isDeleted === Number(isDeleted);
  if (unknown === undefined || row.version !== version + 1) return false;
  return unknown === 'deleted'
    ? row.isDeleted === 1
    : row.title === unknown.title && row.isDeleted === 0;
}

interface InboxStatus {
  readonly lag: readonly { readonly records: number }[];
  readonly retries: readonly { readonly records: number }[];
  readonly parked: { readonly rows: number };
  readonly openDeadLetters: Readonly<Record<string, number>>;
}

async function statusOfInbox(): Promise<InboxStatus> {
  return JSON.parse(await output('inbox', 'status', '--json')) as InboxStatus;
}

function isIdle({ lag, retries, parked }: InboxStatus): boolean {
  return [...lag, ...retries].every(({ records }) => records === 0) && parked.rows === 0;
}

interface Alarms {
  readonly status: number;
  readonly alarms: Readonly<Record<string, { readonly reason: string }>>;
}

async function readAlarms(url: string): Promise<Alarms> {
  const response = await fetch(`${url}/alarms`);
  const { alarms = {} } = (await response.json()) as Partial<Alarms>;
  return { status: response.status, alarms };
}

/** The keeper calls a connector healthy that has run for a minute, so it is asked for longer. */
async function untilQuiet(url: string): Promise<void> {
  let last: Alarms | undefined;
  const isQuiet = async (): Promise<boolean> => (last = await readAlarms(url)).status === 200;
  await waitUntil(`no alarm of ${url}`, isQuiet, { timeoutMs: 120_000, everyMs: 500 }).catch(() => {
    throw new Error(`${url}/alarms stays red: ${JSON.stringify(last)}`);
  });
}

function mentionsOnlyForeign(alarms: Alarms['alarms']): boolean {
  return (
    alarms[deadLetterAlarm]?.reason.startsWith(
      `open dead letters: ${foreignDeadLetters} no-identity;`,
    ) === true
  );
}

function say(line: string): void {
  process.stderr.write(`survival: ${line}\n`);
}
