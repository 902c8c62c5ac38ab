import { createReadStream } from 'node:fs';
import type {
  ChaosRun,
  ClientOperation,
  ForeignRecord,
  HandlerRefusal,
  History,
  InjectedFault,
  LedgerLine,
} from '../history.ts';

/**
 * Reads the ledger of a run; what never ended is unknown. The last line may be cut, since a run can
 * be killed while it writes. Throws when any other line is no JSON, or when no line is of the
 * run.
 */
export async function readLedger(file: string): Promise<History> {
  let run: ChaosRun | undefined;
  const operations = new Map<string, ClientOperation>();
  const faults = new Map<number, InjectedFault>();
  const foreign = new Map<number, ForeignRecord>();
  const refusals = new Map<string, HandlerRefusal>();
  let number = 0;
  let cut: string | undefined;
  for await (const text of readLines(file)) {
    number += 1;
    if (cut !== undefined) throw new Error(`${file}: ${cut}`);
    const line = parseLine(text);
    if (line === undefined) {
      cut = `line ${number} is no JSON: ${text.slice(0, 100)}`;
      continue;
    }
    switch (line.line) {
      case 'run':
        ({ run } = line);
        break;
      case 'operation':
        operations.set(line.operation.key, line.operation);
        break;
      case 'fault':
        faults.set(line.fault.id, line.fault);
        break;
      case 'foreign':
        foreign.set(line.foreign.id, line.foreign);
        break;
      case 'refusal':
        refusals.set(`${line.refusal.boardId} ${line.refusal.version}`, line.refusal);
        break;
    }
  }
  if (run === undefined)
    throw new Error(
      `${file} has no line of the run: it is no ledger, or the run died before it began`,
    );
  if (run.quiescence === undefined)
    throw new Error(`${file} has no "quiescence": another version of the chaos run wrote it`);
  return {
    run,
    operations: [...operations.values()],
    faults: [...faults.values()],
    foreign: [...foreign.values()],
    refusals: [...refusals.values()],
  };
}

function parseLine(text: string): LedgerLine | undefined {
  try {
    return JSON.parse(text) as LedgerLine;
  } catch {
    return undefined;
  }
}

/** Not with node:readline, which also ends a line at U+2028, and a title may hold that. */
async function* readLines(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(file, { encoding: 'utf8' })) {
    const parts = (rest + String(chunk)).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') yield rest;
}
