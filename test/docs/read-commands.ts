import { readFileSync } from 'node:fs';
import type { StackAddresses } from '@board/test';

/**
 * The first block of commands in a section of a page, as it is written, but for the addresses: they
 * are those of the test stack.
 */
export function readCommands(
  page: string,
  section: string,
  { orderServiceUrl, instance }: StackAddresses,
): string {
  const [, text = ''] = readFileSync(page, 'utf8').split(`## ${section}\n`);
  const [, commands] = /^```\n(.*?)^```$/ms.exec(text) ?? [];
  if (commands === undefined) throw new Error(`${page} has no commands under "${section}"`);
  return commands
    .replaceAll('http://127.0.0.1:8080', orderServiceUrl)
    .replaceAll('npm run trace --', `npm run trace -- --instance ${instance}`);
}
