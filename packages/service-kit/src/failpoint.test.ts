import { expect, test } from 'vitest';
import { failpoint, setFailpoint } from './failpoint.ts';

test('does NOTHING until a test sets it, and nothing after the undo', async () => {
  await failpoint('here');
  const undo = setFailpoint('here', () => {
    throw new Error('hit');
  });
  await expect(failpoint('here')).rejects.toThrow('hit');
  await failpoint('elsewhere');
  undo();
  await failpoint('here');
});
