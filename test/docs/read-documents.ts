import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const checkout = resolve(import.meta.dirname, '../..');

/** The files of the checkout that match, committed or not, without what git ignores. */
export function listFiles(...patterns: readonly string[]): string[] {
  const options = ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns];
  return execFileSync('git', options, { cwd: checkout, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(checkout, file)));
}

export const readText = (file: string): string => readFileSync(join(checkout, file), 'utf8');

/** A fenced block, without the indent of its fence. */
export interface Block {
  readonly page: string;
  /** Of the fence that opens it. */
  readonly line: number;
  /** The nearest one above; empty where there is none. */
  readonly heading: string;
  /** What follows the fence, such as `sql`. */
  readonly info: string;
  readonly lines: readonly string[];
}

/** An inline code span. */
export interface Span {
  readonly page: string;
  readonly line: number;
  readonly text: string;
}

/** README, CONTRIBUTING, docs/ and every other README. */
export const pages = listFiles('*README.md', 'CONTRIBUTING.md', 'docs/*.md');

/** The fenced blocks and the inline code spans of a page. */
export function readPage(page: string, text = readText(page)): { blocks: Block[]; spans: Span[] } {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let heading = '';
  let open: { indent: string; block: Block & { lines: string[] } } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const [, indent, info = ''] = /^((?:\d+\.)? *)```(.*)$/.exec(line) ?? [];
    if (open !== undefined) {
      if (indent === undefined) open.block.lines.push(withoutIndent(line, open.indent.length));
      else open = undefined;
      prose.push('');
    } else if (indent === undefined) {
      heading = /^#+ (.+)$/.exec(line)?.[1] ?? heading;
      prose.push(line);
    } else {
      open = { indent, block: { page, line: index + 1, heading, info: info.trim(), lines: [] } };
      blocks.push(open.block);
      prose.push('');
    }
  }
  return { blocks, spans: readSpans(page, prose.join('\n')) };
}

function withoutIndent(line: string, length: number): string {
  return line.slice(0, length).trim() === '' ? line.slice(length) : line;
}

function readSpans(page: string, prose: string): Span[] {
  return [...prose.matchAll(/(?<!`)(`+)(?!`)((?:(?!\n\n).)+?)(?<!`)\1(?!`)/gs)].map(
    ({ index, 2: text = '' }) => ({
      page,
      line: prose.slice(0, index).split('\n').length,
      text: text
        .replaceAll(/\s*\n\s*/g, ' ')
        .replaceAll(String.raw`\|`, '|')
        .trim(),
    }),
  );
}

/** Where a path of a page may lead: from its folder, from `src/` there, or from the checkout. */
export function findNamedFile(page: string, path: string): string | undefined {
  const folder = dirname(page);
  return [join(folder, path), join(folder, 'src', path), path].find((file) =>
    existsSync(join(checkout, file)),
  );
}
