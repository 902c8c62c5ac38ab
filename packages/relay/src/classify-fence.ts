export type FenceResult = 'passed' | { readonly cannotTell: string };

/** What Connect and then MySQL said. */
export interface FenceView {
  readonly registered: boolean;
  /** How many positions Connect keeps for the connector. */
  readonly offsets: number;
  readonly snapshot: boolean;
  /** The set to be proven, and the one that the connector's offset names. */
  readonly gtid: string;
  readonly relayed: string;
  /** `gtid` lies in `relayed`. */
  readonly reached: boolean;
  /** `relayed` lies in what the server has executed. */
  readonly known: boolean;
}

/** Passed only when nothing speaks against it; else why the offset proves nothing, now. */
export function classifyFence(view: FenceView, connector: string): FenceResult {
  const { registered, offsets, snapshot, gtid, relayed, reached, known } = view;
  if (gtid === '')
    return { cannotTell: 'the server numbers no transactions: gtid_mode must be ON' };
  if (!registered) return { cannotTell: `the connector ${connector} is not registered` };
  if (offsets === 0) return { cannotTell: `the connector ${connector} has no position yet` };
  // Two positions mean that the connector was pointed elsewhere; which one counts is not for us to
  // guess.
  if (offsets > 1)
    return { cannotTell: `the connector ${connector} has ${offsets} positions, one is wanted` };
  if (snapshot) return { cannotTell: `the connector ${connector} is taking a snapshot` };
  if (relayed === '')
    return { cannotTell: `the position of the connector ${connector} has no GTIDs` };
  // After RESET BINARY LOGS AND GTIDS a small new set lies inside the large old one, and proves
  // nothing.
  if (!known) {
    return {
      cannotTell: `the connector ${connector} names transactions that the server does not have: were its GTIDs reset, or a backup restored?`,
    };
  }
  if (!reached) return { cannotTell: `the connector ${connector} has not come far enough` };
  return 'passed';
}
