import { describe, expect, it } from 'vitest';
import { classifyFence, type FenceView } from './fence.ts';

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
  return result.kind === 'passed' ? result.kind : result.reason;
};

describe('classifyFence', () => {
  it('passes when the view has no sign against it', () => {
    expect(classifyFence(good, 'c')).toEqual({ kind: 'passed' });
  });

  it.each<[string, Partial<FenceView>, string]>([
    ['the connector is not registered', { registered: false }, 'not registered'],
    ['the connector has no position', { offsets: 0 }, 'no position'],
    ['the connector has two positions', { offsets: 2 }, '2 positions'],
    ['the connector takes a snapshot', { snapshot: true }, 'snapshot'],
    ['the position has no GTIDs', { relayed: '' }, 'no GTIDs'],
    ['the server numbers no transactions', { gtid: '' }, 'gtid_mode'],
    ['the position names transactions that the server does not have', { known: false }, 'reset'],
    ['the position does not contain the set yet', { reached: false }, 'not come far enough'],
  ])('cannot tell when %s', (_name, changes, wanted) => {
    expect(reason(changes)).toContain(wanted);
  });
});
