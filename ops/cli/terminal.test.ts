import { expect, it } from 'vitest';
import { confirm } from './terminal.ts';

it('a question escapes the control characters that it quotes', async () => {
  await expect(
    confirm('Pass over this?\nTRUNCATE TABLE url /* \x1b[2J */', undefined),
  ).rejects.toThrow('Pass over this?\nTRUNCATE TABLE url /* \\u001b[2J */ Use --yes');
});
