import { describe, expect, it } from 'vitest';
import { classifyFence, type FenceView } from './classify-fence.ts';

const good: FenceView = {
  registered: true,
  offsets: 1,
  snapshot: false,
  gtid: 'a:1-5',
  relayed: 'a:1-6',
  reached: true,
  known: true,
};

const reason = (changes: Partial<FenceView>): string => {
  const result = classifyFence({ ...good, ...changes }, 'c');
  return result === 'passed' ? result : result.cannotTell;
};

describe('the fence', () => {
  it('passes when nothing speaks against it', () => {
    expect(classifyFence(good, 'c')).toBe('passed');
  });

  it.each<[string, Partial<FenceView>, string]>([
    ['the connector is NOT there', { registered: false }, 'not registered'],
    ['it has NO position', { offsets: 0 }, 'no position'],
    ['it has TWO positions', { offsets: 2 }, '2 positions'],
    ['it takes a SNAPSHOT', { snapshot: true }, 'snapshot'],
    ['its position has no GTIDs, so an empty set is compared', { relayed: '' }, 'no GTIDs'],
    ['the server numbers nothing, so an EMPTY set lies in any other', { gtid: '' }, 'gtid_mode'],
    ['it names what the server does NOT have', { known: false }, 'reset'],
    ['it has not come far enough', { reached: false }, 'not come far enough'],
  ])('proves nothing when %s', (_name, changes, wanted) => {
    expect(reason(changes)).toContain(wanted);
  });
});
