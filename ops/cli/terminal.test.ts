import { expect, it } from 'vitest';
import { confirm } from './confirm.ts';

it('a question cannot be rewritten by what it quotes', async () => {
  await expect(
    confirm('Pass over this?\nTRUNCATE TABLE url /* \x1b[2J */', undefined),
  ).rejects.toThrow('Pass over this?\nTRUNCATE TABLE url /* \\u001b[2J */ Say --yes');
});
