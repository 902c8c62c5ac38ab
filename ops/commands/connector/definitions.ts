import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { ConnectorDefinition } from '@board/relay';
import * as z from 'zod';
import { UsageError } from '../../cli/program.ts';

/** Where the project keeps what it registers. */
const definitionsFolder = resolve(import.meta.dirname, '../../../connectors');

const shape = z
  .object({ name: z.string().min(1), 'connector.class': z.string().min(1) })
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
  } catch (error) {
    throw new UsageError(`${file} is no JSON: ${placeOf(text, (error as Error).message)}`);
  }
}

/** The message with line and column, which V8 leaves out where the text ends too soon. */
function placeOf(text: string, message: string): string {
  if (/line \d+ column \d+/.test(message)) return message;
  const lines = text.split('\n');
  return `${message} (line ${lines.length} column ${(lines.at(-1)?.length ?? 0) + 1})`;
}

/** Reads every definition of a folder: each `*.json` with a `connector.class`, by file name. */
export function readDefinitions(folder = definitionsFolder): readonly ConnectorDefinition[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const definitions = files
    .toSorted()
    .map((name) => join(folder, name))
    .filter(isDefinition)
    .map(readDefinition);
  const names = definitions.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new UsageError(`${folder} defines ${twice} in two files: a name must be unique`);
  return definitions;
}

/** Other JSON may lie in the folder too; a file that cannot be parsed is not passed over. */
function isDefinition(file: string): boolean {
  const content = parseFile(file);
  return typeof content === 'object' && content !== null && 'connector.class' in content;
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
  return names.map((name) => {
    if (name.endsWith('.json') || name.includes('/')) return readDefinition(name);
    const known = readDefinitions(folder);
    const found = known.find((definition) => definition.name === name);
    if (found !== undefined) return found;
    if (existsSync(name)) return readDefinition(name);
    throw new UsageError(
      `${basename(folder)}/ defines no connector ${JSON.stringify(name)}; ` +
        nearest(
          name,
          known.map((definition) => definition.name),
        ),
    );
  });
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
