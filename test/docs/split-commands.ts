/** One command of a shell line. */
export interface SimpleCommand {
  /** Names of the variables that are set before it. */
  readonly variables: readonly string[];
  /** Without quotes; empty when the line only sets variables. `$(...)` stays as it is. */
  readonly words: readonly string[];
}

/**
 * The commands of a shell text, those inside `$(...)` before the one around them. Knows quotes,
 * comments, pipes, lists and redirections, which is what the documents use; throws on a quote or a
 * bracket that stays open.
 */
export function splitCommands(text: string): SimpleCommand[] {
  const commands: SimpleCommand[] = [];
  let words: string[] = [];
  let word: string | undefined;
  let isTarget = false;

  function endWord(): void {
    if (word !== undefined && !isTarget) words.push(word);
    if (word !== undefined) isTarget = false;
    word = undefined;
  }
  function endCommand(): void {
    endWord();
    const first = words.findIndex((one) => !/^\w+=/.test(one));
    const count = first === -1 ? words.length : first;
    const variables = words.slice(0, count).map((one) => one.split('=', 1)[0] ?? '');
    const own = words.slice(count).filter((one, index) => index > 0 || !/^(do|then)$/.test(one));
    if (words.length > 0) commands.push({ variables, words: own });
    words = [];
  }

  for (let at = 0; at < text.length; at += 1) {
    const rest = text.slice(at);
    const char = rest[0] ?? '';
    if (char === '\\') {
      at += 1;
      if (rest[1] !== '\n') word = (word ?? '') + (rest[1] ?? '');
    } else if (char === "'") {
      const [whole = '', inner = ''] = must(/^'([^']*)'/s.exec(rest), "'", text);
      word = (word ?? '') + inner;
      at += whole.length - 1;
    } else if (char === '"') {
      const [whole = '', inner = ''] = must(
        /^"((?:\$\([^)]*\)|\\.|[^"\\])*)"/s.exec(rest),
        '"',
        text,
      );
      for (const [, nested = ''] of inner.matchAll(/\$\(([^)]*)\)/g))
        commands.push(...splitCommands(nested));
      word = (word ?? '') + inner.replaceAll(/\\(.)/gs, '$1');
      at += whole.length - 1;
    } else if (rest.startsWith('$(')) {
      const inner = rest.slice(2, findBracket(rest));
      commands.push(...splitCommands(inner));
      word = `${word ?? ''}$(${inner})`;
      at += inner.length + 2;
    } else if (char === '#' && word === undefined) {
      at += /^#[^\n]*/.exec(rest)?.[0].length ?? 0;
      endCommand();
    } else if (/[;|&\n]/.test(char)) {
      endCommand();
    } else if (/[<>]/.test(char)) {
      endWord();
      isTarget = true;
    } else if (/\s/.test(char)) {
      endWord();
    } else {
      word = (word ?? '') + char;
    }
  }
  endCommand();
  return commands;
}

/** Where the bracket closes that `$(` at the start opens. */
function findBracket(text: string): number {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/'[^']*'|\\.|[()]/gs)) {
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (token === ')' && depth === 0) return index;
  }
  throw new Error(`$( stays open: ${text}`);
}

function must(found: RegExpExecArray | null, quote: string, text: string): RegExpExecArray {
  if (found === null) throw new Error(`${quote} stays open: ${text}`);
  return found;
}
