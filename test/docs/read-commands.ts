import { readFileSync } from 'node:fs';
import type { StackAddresses } from '@board/test';

/**
 * The first block of commands in a section of the README, as written but for where the test stack
 * is.
 */
export function readCommands(
  section: string,
  { orderServiceUrl, instance }: StackAddresses,
): string {
  const [, text = ''] = readFileSync('README.md', 'utf8').split(`## ${section}\n`);
  const [, commands] = /^```\n(.*?)^```$/ms.exec(text) ?? [];
  if (commands === undefined) throw new Error(`README.md has no commands under "${section}"`);
  return commands
    .replaceAll('http://127.0.0.1:8080', orderServiceUrl)
    .replaceAll('npm run trace --', `npm run trace -- --instance ${instance}`);
}
