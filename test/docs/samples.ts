import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What stands for each `<placeholder>` of a command. */
const placeholders: Readonly<Record<string, string>> = {
  aggregate: '0198c0de-0000-7000-8000-000000000001',
  board: '0198c0de-0000-7000-8000-000000000001',
  comment: '0198c0de-0000-7000-8000-000000000002',
  'dead-letter': '01a210dc-6682-758a-b9f8-41e7acb32066',
  version: '7',
  'parked version': '9',
  why: 'why',
  files: 'order-service.log',
  // Of a service, a log or an instance.
  name: 'order-service',
  pid: '4711',
  commit: '0f48ffd',
  run: 'seed-1',
  time: '2026-01-31T120000Z',
  registry: 'http://127.0.0.1:8081',
  'port of a catalog-service': '8080',
  'port of comment-service': '8080',
  // Of Kubernetes: a folder in overlays/, a password, an image.
  yours: 'example',
  '...': 'text',
  "of MySQL's root": 'password',
  'the new image': 'registry.example/board-pipeline:2',
};

/** What stands for a whole word, and optional words without their brackets. */
const words: Readonly<Record<string, string>> = {
  '[name]': 'mysql',
  '[-f]': '-f',
  '[--json]': '--json',
  NAME: 'older',
  'file.ts': 'services/order-service/src/migrate.ts',
};

/** Files that programs read before they do anything else, by the word that names them. */
const files: Readonly<Record<string, string>> = {
  LEDGER: '{"line":"run","run":{"quiescence":null}}\n',
  'boards.jsonl': '',
};

/** Replaces the placeholders of a command by samples; throws for one without a sample. */
export function fillPlaceholders(text: string): string {
  return text
    .replaceAll('--with <name>', '--with comments')
    .replaceAll(/<([^<>\n]+)>/g, (placeholder, name: string) => {
      const sample = placeholders[name];
      if (sample === undefined)
        throw new Error(`${placeholder} has no sample: add one to test/docs/samples.ts`);
      return sample;
    });
}

/** Makes the files that stand for those of the documents; gives the word that stands for a word. */
export function makeSampleFiles(folder: string): (word: string) => string {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return (word) => (files[word] === undefined ? (words[word] ?? word) : join(folder, word));
}
