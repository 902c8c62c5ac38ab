/** What the audit says of one aggregate that is not simply in step. */
export type Verdict =
  /** Changed while the audit ran, parked, or on its way through a retry topic. */
  | 'in flight'
  | 'behind a dead letter'
  | 'skipped'
  /** Behind, and its next event is nowhere. */
  | 'LOST'
  /** The consumer has applied more than the source has. */
  | 'AHEAD'
  | 'conflict'
  /** Other content at the same version. */
  | 'different'
  /** Behind, and nobody knows whether its next event is still on its way. */
  | 'cannot tell';

export const verdicts: readonly Verdict[] = [
  'in flight',
  'behind a dead letter',
  'skipped',
  'LOST',
  'AHEAD',
  'conflict',
  'different',
  'cannot tell',
];

/** What breaks the guarantee. */
export const redVerdicts: readonly Verdict[] = ['LOST', 'AHEAD', 'conflict', 'different'];
