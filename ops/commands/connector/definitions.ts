import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { ConnectorDefinition } from '@board/relay';
import * as z from 'zod';
import { UsageError } from '../../cli/program.ts';

/** Where the project keeps what it registers. */
const definitionsFolder = resolve(import.meta.dirname, '../../../connectors');

const shape = z
  .object({
    // Connect's paths have it: "." and ".." would name another one.
    name: z.string().regex(/^(?!\.{1,2}$)[^\p{C}]+$/u, 'must be one line of text, not "." or ".."'),
    'connector.class': z.string().min(1),
  })
  .catchall(z.string());

/**
 * Reads one definition. Throws UsageError with the file and, for invalid JSON, line and column; for
 * a file of another shape, every key that is wrong.
 */
export function readDefinition(file: string): ConnectorDefinition {
  const content = parseFile(file);
  const result = shape.safeParse(content);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new UsageError(
    `${file} is no connector definition, a flat object of strings with "name" and ` +
      `"connector.class": ${problems.join('; ')}`,
  );
}

function parseFile(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${file} is no JSON: ${placeOf(text)}`);
  }
}

/** Line and column of what is wrong; not V8's message, which quotes what may be a secret. */
function placeOf(text: string): string {
  let [start, end] = [0, text.length + 1];
  while (start + 1 < end) {
    const middle = Math.floor((start + end) / 2);
    if (mayGoOn(text.slice(0, middle))) start = middle;
    else end = middle;
  }
  const lines = text.slice(0, start).split('\n');
  const place = `line ${lines.length} column ${(lines.at(-1)?.length ?? 0) + 1}`;
  return start === text.length ? `it ends too soon, at ${place}` : `unexpected text at ${place}`;
}

/** Whether a text is the beginning of some JSON: what is wrong with it lies at its end. */
function mayGoOn(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const { message } = error as Error;
    const [, position] = /at position (\d+)/.exec(message) ?? [];
    return /end of JSON input|Unterminated string/.test(message) || Number(position) >= text.length;
  }
}

/**
 * Reads every definition of a folder: each `*.json` with a `connector.class`, by file name. Throws
 * UsageError when there is none, when a file cannot be read, or when two define one name.
 */
export function readDefinitions(folder = definitionsFolder): readonly ConnectorDefinition[] {
  const definitions = filesOf(folder).filter(isDefinition).map(readDefinition);
  if (definitions.length === 0) throw new UsageError(`${folder} defines no connector`);
  refuseTwice(definitions);
  return definitions;
}

function filesOf(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.toSorted().map((name) => join(folder, name));
}

function refuseTwice(definitions: readonly ConnectorDefinition[]): void {
  const names = definitions.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`${twice} is defined twice: a name must be unique`);
}

/** Other JSON may lie in the folder too; a file that cannot be parsed is not passed over. */
function isDefinition(file: string): boolean {
  const content = parseFile(file);
  if (typeof content !== 'object' || content === null) return false;
  if ('config' in content && 'name' in content)
    throw new UsageError(`${file} has the form {name, config}: it must be the flat configuration`);
  return 'connector.class' in content;
}

/** The definition with this name, whatever is wrong with the other files of the folder. */
function findDefinition(name: string, folder: string): ConnectorDefinition | undefined {
  for (const file of filesOf(folder)) {
    try {
      if (isDefinition(file) && readDefinition(file).name === name) return readDefinition(file);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
    }
  }
  return undefined;
}

/**
 * The definitions that the arguments name, by the connector's name or by a file; all of the folder
 * when there are none. Throws UsageError for an unknown name, with the nearest ones.
 */
export function chooseDefinitions(
  names: readonly string[],
  folder = definitionsFolder,
): readonly ConnectorDefinition[] {
  if (names.length === 0) return readDefinitions(folder);
  const chosen = names.map((name) => {
    if (name.endsWith('.json') || name.includes('/')) return readDefinition(name);
    const found = findDefinition(name, folder);
    if (found !== undefined) return found;
    if (existsSync(name)) return readDefinition(name);
    const known = readDefinitions(folder);
    throw new UsageError(
      `${basename(folder)}/ defines no connector ${JSON.stringify(name)}; ` +
        nearest(
          name,
          known.map((definition) => definition.name),
        ),
    );
  });
  refuseTwice(chosen);
  return chosen;
}

/** Says which names are near, else which there are. */
export function nearest(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'there is none';
  const near = known.filter((one) => distance(name, one) <= Math.max(2, name.length / 3));
  return near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there is ${known.join(', ')}`;
}

/** How many characters must be inserted, deleted or replaced to make one text of the other. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [i, character] of [...one].entries()) {
    const next = [i + 1];
    for (const [j, otherCharacter] of [...other].entries())
      next.push(
        Math.min(
          (next[j] ?? 0) + 1,
          (row[j + 1] ?? 0) + 1,
          (row[j] ?? 0) + (character === otherCharacter ? 0 : 1),
        ),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}
