import { appendFileSync } from 'node:fs';
import type {
  ChaosRun,
  ClientOperation,
  ForeignRecord,
  HandlerRefusal,
  History,
  InjectedFault,
  LedgerLine,
} from './history.ts';

/** What happened so far, in a file that outlives a run that dies. */
export interface Ledger {
  /** A later entry of the same thing takes the place of the earlier one. */
  run(run: ChaosRun): void;
  operation(operation: ClientOperation): void;
  fault(fault: InjectedFault): void;
  foreign(foreign: ForeignRecord): void;
  refusal(refusal: HandlerRefusal): void;
  history(): History;
}

/** Appends to the file at once, each line before what it records goes on. */
export function openLedger(file: string, first: ChaosRun): Ledger {
  let run = first;
  const operations = new Map<string, ClientOperation>();
  const faults = new Map<number, InjectedFault>();
  const foreign = new Map<number, ForeignRecord>();
  const refusals = new Map<string, HandlerRefusal>();
  const append = (line: LedgerLine): void => appendFileSync(file, `${JSON.stringify(line)}\n`);

  append({ line: 'run', run });
  return {
    run(next) {
      run = next;
      append({ line: 'run', run });
    },
    operation(operation) {
      operations.set(operation.key, operation);
      append({ line: 'operation', operation });
    },
    fault(fault) {
      faults.set(fault.id, fault);
      append({ line: 'fault', fault });
    },
    foreign(one) {
      foreign.set(one.id, one);
      append({ line: 'foreign', foreign: one });
    },
    refusal(refusal) {
      refusals.set(`${refusal.boardId} ${refusal.version}`, refusal);
      append({ line: 'refusal', refusal });
    },
    history: () => ({
      run,
      operations: [...operations.values()],
      faults: [...faults.values()],
      foreign: [...foreign.values()],
      refusals: [...refusals.values()],
    }),
  };
}
