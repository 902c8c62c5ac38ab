import { redVerdicts, verdicts, type AuditReport } from '@board/inbox';
import type { ConsumerAuditReport } from './audit-consumers.ts';

/** 0: everything is accounted for; 1: something is wrong; 2: it cannot be told. */
export const exitCodes: Readonly<Record<AuditReport['outcome'], number>> = {
  clean: 0,
  red: 1,
  incomplete: 2,
};

const notes: Readonly<Record<AuditReport['outcome'], string>> = {
  clean: 'Clean: everything was applied, or it is known why not yet.',
  red: 'RED: see "Audit red" in docs/runbook.md.',
  incomplete: 'Cannot tell: nothing is known to be wrong, but not everything could be compared.',
};

/** The report as text for a terminal. */
export function formatReport(report: ConsumerAuditReport): string {
  const {
    consumer,
    outcome,
    cannotTell,
    compared,
    inStep,
    counts,
    findings,
    notes: consumerNotes,
  } = report;
  const rows: [string, number][] = [
    ['compared', compared],
    ['in step', inStep],
    ...verdicts.map((verdict): [string, number] => [verdict, counts[verdict]]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = [`consumer ${consumer}`, ''];
  lines.push(...rows.map(([name, count]) => `${name.padEnd(width)}  ${String(count).padStart(9)}`));

  for (const verdict of verdicts) {
    const listed = findings.filter((finding) => finding.verdict === verdict);
    if (listed.length === 0) continue;
    const rest = counts[verdict] - listed.length;
    lines.push('', `${verdict}${redVerdicts.includes(verdict) ? ' (red)' : ''}:`);
    lines.push(
      ...listed.map(({ id, version, mark }) => `  ${id}  version ${version}, mark ${mark}`),
    );
    if (rest > 0) lines.push(`  and ${rest} more (--limit lists more)`);
  }
  lines.push(
    '',
    notes[outcome],
    ...(cannotTell === undefined ? [] : [`Not everything could be compared: ${cannotTell}.`]),
    ...consumerNotes,
  );
  return lines.join('\n');
}

/** Of several consumers: red if one is, else incomplete if one is. */
export function worstOutcome(
  reports: readonly Pick<AuditReport, 'outcome'>[],
): AuditReport['outcome'] {
  const outcomes = reports.map(({ outcome }) => outcome);
  return (['red', 'incomplete'] as const).find((outcome) => outcomes.includes(outcome)) ?? 'clean';
}
