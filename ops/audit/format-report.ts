import { redVerdicts, verdicts, type AuditReport } from '@board/inbox';
import type { BoardAuditReport } from './audit-boards.ts';

/** 0: every board is accounted for; 1: something is wrong; 2: it cannot be told. */
export const exitCodes: Readonly<Record<AuditReport['outcome'], number>> = { clean: 0, red: 1, incomplete: 2 };

const notes: Readonly<Record<AuditReport['outcome'], string>> = {
  clean: 'Clean: every board is in the catalog, or it is known why not yet.',
  red: 'RED: see "Audit red" in docs/runbook.md.',
  incomplete: 'Cannot tell: nothing is known to be wrong, but not everything could be judged.',
};

/** The report as text, for people. */
export function formatReport(report: BoardAuditReport): string {
  const { outcome, cannotTell, compared, inStep, counts, findings, notes: said } = report;
  const rows: [string, number][] = [
    ['boards compared', compared],
    ['in step', inStep],
    ...verdicts.map((verdict): [string, number] => [verdict, counts[verdict]]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, count]) => `${name.padEnd(width)}  ${String(count).padStart(9)}`);

  for (const verdict of verdicts) {
    const listed = findings.filter((finding) => finding.verdict === verdict);
    if (listed.length === 0) continue;
    const rest = counts[verdict] - listed.length;
    lines.push('', `${verdict}${redVerdicts.includes(verdict) ? ' (red)' : ''}:`);
    lines.push(...listed.map(({ id, version, mark }) => `  ${id}  version ${version}, mark ${mark}`));
    if (rest > 0) lines.push(`  and ${rest} more (--limit lists more)`);
  }
  lines.push(
    '',
    notes[outcome],
    ...(cannotTell === undefined ? [] : [`Not everything could be judged: ${cannotTell}.`]),
    ...said,
  );
  return lines.join('\n');
}
