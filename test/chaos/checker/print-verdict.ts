import type { Violation } from './evidence.ts';

/**
 * The verdict as text: each broken rule with its first sentence, and everything known of the first
 * violation.
 */
export function printVerdict(violations: readonly Violation[]): string {
  const [first] = violations;
  if (first === undefined) return 'No violation.';
  const perRule = [...Map.groupBy(violations, ({ rule }) => rule).values()];
  const broken = perRule.map(([one, ...others]) => {
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    return `  ${one?.invariant} ${one?.rule}: ${one?.sentence}${more}`;
  });
  return [
    `${violations.length} violations of ${perRule.length} rules:`,
    ...broken,
    '',
    `Everything known of the first (${first.rule}):`,
    ...first.story.map(
      ({ at, text }) =>
        `  ${at === null ? 'at the end'.padEnd(24) : new Date(at).toISOString()}  ${text}`,
    ),
  ].join('\n');
}
