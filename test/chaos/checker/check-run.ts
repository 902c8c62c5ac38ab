import type { History } from '../history.ts';
import type { Evidence, Violation } from './evidence.ts';
import { answerRules } from './check-answers.ts';
import { boardRules } from './check-boards.ts';
import { catalogRules } from './check-catalog.ts';
import { commandRules } from './check-commands.ts';
import { deadLetterRules } from './check-dead-letters.ts';
import { quietRules } from './check-quiet.ts';
import { topicRules } from './check-topic.ts';
import { indexRun } from './index-run.ts';
import type { Finding, Rule } from './rule.ts';
import { describeFinding } from './describe-finding.ts';

/** In the order in which an event passes: what went wrong first comes first. */
export const rules: readonly Rule[] = [
  ...commandRules,
  ...answerRules,
  ...boardRules,
  ...topicRules,
  ...catalogRules,
  ...deadLetterRules,
  ...quietRules,
];

/** One fault can break a rule for every board. */
export const mostPerRule = 20;

/**
 * Everything that must hold after a run and does not, the earliest place on an event's way first;
 * at most 20 violations of one rule, the last of which says how many there are. Throws when the
 * ledger contradicts itself.
 */
export function checkRun(history: History, evidence: Evidence): Violation[] {
  const run = indexRun(history, evidence);
  return rules
    .filter(({ evenAmongOthers }) => evenAmongOthers || history.run.alone)
    .flatMap((rule) =>
      firstOf(rule.find(run)).map((finding) => ({
        invariant: rule.invariant,
        rule: rule.name,
        ...finding,
        story: describeFinding(run, finding),
      })),
    );
}

function firstOf(findings: Iterable<Finding>): Finding[] {
  const shown: Finding[] = [];
  let count = 0;
  for (const finding of findings) {
    count += 1;
    if (count <= mostPerRule) shown.push(finding);
  }
  const last = shown.at(-1);
  if (last === undefined || count <= mostPerRule) return shown;
  return [
    ...shown.slice(0, -1),
    { ...last, sentence: `${last.sentence} (${count} of this rule, ${mostPerRule} are shown)` },
  ];
}
