import { printJson } from './print.ts';
import type { GlobalFlags } from './with-operator.ts';

/** What became of one letter or version: a sentence for people, the result for programs. */
export function tell<Outcome extends string>(
  { json }: GlobalFlags,
  result: { readonly outcome: Outcome } & Record<string, unknown>,
  sentences: Readonly<Record<Outcome, string>>,
): void {
  if (json === true) printJson(result);
  else console.log(sentences[result.outcome]);
}
