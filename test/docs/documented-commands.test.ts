import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isSql, problemsOfSql } from './check-sql.ts';
import { checkWords, isCommand, problemOfVariable } from './command-rules.ts';
import { problemOfRun, runPrograms, type ProgramRun } from './programs.ts';
import {
  findNamedFile,
  listFiles,
  pages,
  readPage,
  readText,
  type Block,
  type Span,
} from './read-documents.ts';
import { fillPlaceholders, makeSampleFiles } from './samples.ts';
import { splitCommands } from './split-commands.ts';

const folder = mkdtempSync(join(tmpdir(), 'documented-commands-'));
afterAll(() => rmSync(folder, { recursive: true }));
const sampleOf = makeSampleFiles(folder);

const documents = pages.map((page) => readPage(page));
const blocks = documents.flatMap((document) => document.blocks);
const spans = documents.flatMap((document) => document.spans);

/** Blocks that nothing can check, by their page and heading. */
const pictures: Readonly<Record<string, 'diagram' | 'sample output'>> = {
  'README.md: The board pipeline': 'diagram',
  'README.md: Try it': 'sample output',
  'docs/architecture.md: Flow': 'diagram',
};

type Kind = 'commands' | 'sql' | 'json' | 'held against a file' | 'calls' | 'picture' | 'unknown';

function kindOf({ info, lines, page, heading }: Block): Kind {
  const first = lines.find((line) => line.trim() !== '') ?? '';
  if (info === 'sql' || (info === '' && isSql(first))) return 'sql';
  if (info === 'json') return 'json';
  if (/^ts( \S+)?$/.test(info)) return 'held against a file';
  if (info !== '') return 'unknown';
  if (isCommand(first) || /^(\w+=|echo )/.test(first)) return 'commands';
  if (/(call by call|^What follows from what)$/i.test(heading)) return 'calls';
  return pictures[`${page}: ${heading}`] === undefined ? 'unknown' : 'picture';
}

interface CommandLine {
  readonly where: string;
  readonly text: string;
  readonly isMention: boolean;
}

/** The lines of a block, without the description that follows some of them after a gap. */
function linesOf({ page, line, lines }: Block): CommandLine[] {
  const found: CommandLine[] = [];
  let text = '';
  let begin = 0;
  for (const [index, part] of lines.entries()) {
    if (text === '') begin = line + index + 1;
    text += `${part}\n`;
    if (part.endsWith('\\')) continue;
    const command = text.replace(/^((?:npm|node) .*?\S) {3,}.*\n$/, '$1').trim();
    if (command !== '') found.push({ where: `${page}:${begin}`, text: command, isMention: false });
    text = '';
  }
  return found;
}

/** Prose also names a command without what it requires. */
const mention =
  /^(curl|docker compose( --profile \w+)?|npm run --silent|npm (run (--silent )?)?[\w:]+( --( [a-z][a-z-]*)+)?)$/;

/** The operator's commands have a short form in prose: `inbox status`. */
const shortForm = /^(dlq|inbox|outbox) ([a-z-]+( --[a-z-]+)*)$/;

function commandOf({ page, line, text }: Span): CommandLine[] {
  const where = `${page}:${line}`;
  const [, program, rest] = shortForm.exec(text) ?? [];
  if (program !== undefined)
    return [{ where, text: `npm run ${program} -- ${rest}`, isMention: true }];
  return isCommand(text) ? [{ where, text, isMention: mention.test(text) }] : [];
}

const documented: readonly CommandLine[] = [
  ...blocks.filter((block) => kindOf(block) === 'commands').flatMap(linesOf),
  ...spans.flatMap(commandOf),
];

/** What the rules, and the programs that they name, find wrong with command lines. */
async function findProblems(lines: readonly CommandLine[]): Promise<string[]> {
  const runs: ProgramRun[] = [];
  const found: string[] = [];
  for (const line of lines) {
    const problem = (why: string): unknown => found.push(`${line.where}: ${line.text}: ${why}`);
    try {
      for (const { variables, words } of splitCommands(fillPlaceholders(line.text))) {
        if (words.length > 0)
          for (const why of variables.map(problemOfVariable)) if (why !== undefined) problem(why);
        const checked = checkWords(words.map(sampleOf), line.isMention);
        if (checked.kind === 'wrong') problem(checked.why);
        if (checked.kind === 'run') runs.push(...checked.runs.map((run) => ({ ...line, ...run })));
      }
    } catch (error) {
      problem((error as Error).message);
    }
  }
  const resultOf = await runPrograms(runs);
  for (const run of runs) {
    const why = problemOfRun(run, resultOf(run));
    if (why !== undefined) found.push(`${run.where}: ${run.text}: ${why}`);
  }
  return found;
}

/** Each has one fault. */
const wrong: readonly string[] = [
  'npm run inbocks -- status',
  'npm run audit --json',
  'npm run dlq -- lst',
  'npm run dlq -- replay',
  'npm run dlq -- skip <aggregate> <version> --reson "..."',
  'npm run dlq -- list --reason exhausted',
  'npm run dlq -- list --consumer commments',
  'npm run dlq -- show <no-such-placeholder>',
  'npm run inbox -- baseline no-such-file.jsonl',
  'npm run inbox -- discard <aggregate>',
  'npm run outbox -- purge --older-than 1w',
  'npm run audit -- --timeout soon',
  'npm run connector -- restart',
  'npm run trace',
  'npm run trace -- <aggregate> --sinse 2h',
  'npm run stack -- up --only server',
  'npm run stack -- setup schema',
  'npm run stack -- logs catalog-service',
  'npm run stack -- fetch --cluster zookeper',
  'npm start -- --with coments',
  'npm run chaos -- --seeds 20-1',
  'npm run chaos -- --plant no-such-plant',
  'npm run chaos:check -- LEDGER --evidense file',
  'npm run bench -- aply',
  'npm run containers -- secret',
  'npm run containers -- doctor --profiles metrics',
  'npm test -- test/kubernets',
  'npm test -- --project integration',
  'node provision/main.ts migration',
  'node provision/mian.ts',
  'docker compose --profile metric up -d --wait',
  'docker compose up -d --wiat',
  'docker compose run --rm dlq lst',
  'curl -sS http://127.0.0.1:8080/board',
  'kubectl -n board rollout status deployment/orders-service',
  'AUDIT_DEADLINE=1 npm run audit',
  'npx dlq list',
];

// All at once: a program is loaded once, which takes longer than all of its command lines.
let problems: readonly string[];
beforeAll(async () => {
  problems = await findProblems([
    ...documented,
    ...wrong.map((text) => ({ where: 'wrong', text, isMention: false })),
  ]);
}, 120_000);

it('every documented command is understood as it is written', () => {
  expect(documented.length).toBeGreaterThan(200);
  expect(problems.filter((problem) => !problem.startsWith('wrong: '))).toEqual([]);
});

it('a command that is written wrongly is found', () => {
  const found = wrong.filter((text) => problems.some((one) => one.startsWith(`wrong: ${text}: `)));
  expect(found).toEqual(wrong);
});

it('every block is of a kind that is checked, or is listed as a picture', () => {
  const unknown = blocks.filter((block) => kindOf(block) === 'unknown');
  expect(
    unknown.map(
      ({ page, line, info, heading }) =>
        `${page}:${line}: nothing checks this block ("${info}", below "${heading}"): begin it with a command, ` +
        'name its language or its file (sql, json, ts <file>), or add it to `pictures`',
    ),
  ).toEqual([]);
});

it('SQL names tables and columns that migrations make', () => {
  const texts = [
    ...blocks
      .filter((block) => kindOf(block) === 'sql')
      .map(({ page, line, lines }) => ({ where: `${page}:${line}`, text: lines.join('\n') })),
    ...spans
      .filter(({ text }) => isSql(text) && /\b\w+_service\./.test(text))
      .map(({ page, line, text }) => ({ where: `${page}:${line}`, text })),
  ];
  expect(texts.length).toBeGreaterThan(8);
  expect(
    texts.flatMap(({ where, text }) =>
      problemsOfSql(text).map((problem) => `${where}: ${problem}`),
    ),
  ).toEqual([]);
  const wrong = [
    'SELECT reasons FROM catalog_service.dead_letter',
    'DELETE FROM order_service.outboxes',
    'SELECT version FROM mark',
  ];
  expect(wrong.map((text) => problemsOfSql(text).length)).toEqual([1, 1, 1]);
});

it('JSON can be read', () => {
  const json = blocks.filter((block) => kindOf(block) === 'json');
  expect(json.length).toBeGreaterThan(0);
  for (const { page, line, lines } of json)
    expect(() => JSON.parse(lines.join('\n')), `${page}:${line}`).not.toThrow();
});

it('code names the file that another test holds it against, or stands in a source', () => {
  const sources = listFiles('*.ts').map(readText);
  const wrong = blocks
    .filter((block) => kindOf(block) === 'held against a file')
    .filter(({ page, info, lines }) => {
      const [, file] = info.split(' ');
      // your-own-events.test.ts compares the texts.
      if (file !== undefined)
        return page !== 'docs/your-own-events.md' || findNamedFile('README.md', file) === undefined;
      return lines.some((line) => !sources.some((source) => source.includes(line.trim())));
    });
  expect(wrong.map(({ page, line, info }) => `${page}:${line}: ${info}`)).toEqual([]);
});

it('a walk through calls names files that exist', () => {
  const missing = blocks
    .filter((block) => kindOf(block) === 'calls')
    .flatMap(({ page, line, lines }) =>
      lines.flatMap((text, index) =>
        [...text.matchAll(/[\w./-]+\.(?:ts|mjs|sh|json)\b/g)]
          .filter(([file]) => findNamedFile(page, file) === undefined)
          .map(([file]) => `${page}:${line + index + 1}: ${file}`),
      ),
    );
  expect(missing).toEqual([]);
});

it('the requests of README and docs/api.md are run as they are written', () => {
  for (const [page, section, test] of [
    ['README.md', 'Try it', 'follow-one-board'],
    ['docs/api.md', 'Write boards', 'write-boards'],
  ] as const) {
    expect(readText(page)).toContain(`\n## ${section}\n`);
    expect(readText(`test/docs/${test}.e2e.test.ts`)).toContain(
      `readCommands('${page}', '${section}', stack)`,
    );
  }
});
