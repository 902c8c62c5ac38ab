import { describe, expect, it } from 'vitest';
import type { ConsumerAuditReport } from './audit-consumers.ts';
import { exitCodes, formatReport, worstOutcome } from './format-report.ts';

const report: ConsumerAuditReport = {
  consumer: 'catalog',
  outcome: 'red',
  cannotTell: undefined,
  compared: 10,
  inStep: 6,
  counts: {
    'in flight': 0,
    'behind a dead letter': 1,
    skipped: 0,
    LOST: 3,
    AHEAD: 0,
    conflict: 0,
    different: 0,
    'cannot tell': 0,
  },
  findings: [
    { id: 'a', verdict: 'LOST', version: 7, mark: 4 },
    { id: 'b', verdict: 'behind a dead letter', version: 3, mark: 2 },
  ],
  notes: ['a note.'],
};

describe('the report', () => {
  it('counts every verdict, lists aggregates under it and says how many are not listed', () => {
    const text = formatReport(report);
    expect(text).toMatch(/^consumer catalog\n\ncompared +10\nin step +6\n/);
    expect(text).toMatch(/LOST +3\nAHEAD +0\n/);
    expect(text).toContain('LOST (red):\n  a  version 7, mark 4\n  and 2 more');
    expect(text).toContain('behind a dead letter:\n  b  version 3, mark 2\n');
    expect(text).toContain('Audit red');
    expect(text).toMatch(/\na note\.$/);
  });

  it('says why not everything could be compared', () => {
    expect(formatReport({ ...report, outcome: 'incomplete', cannotTell: 'no connector' })).toMatch(
      /Cannot tell[^]*no connector/,
    );
  });

  it('takes the worst outcome of several consumers', () => {
    const of = (...outcomes: ConsumerAuditReport['outcome'][]) =>
      worstOutcome(outcomes.map((outcome) => ({ outcome })));
    expect([of('clean', 'clean'), of('clean', 'incomplete'), of('red', 'incomplete')]).toEqual([
      'clean',
      'incomplete',
      'red',
    ]);
  });

  it('has an exit code for each outcome', () => {
    expect(exitCodes).toEqual({ clean: 0, red: 1, incomplete: 2 });
  });
});
