/**
 * What a chaos run writes down while it goes on; checker/evidence.ts has what is read afterwards.
 *
 * The ledger is a file of JSON lines, each a `LedgerLine`, appended as it happens. A line replaces
 * the earlier one of the same thing (operation: key, fault: id, foreign: id, refusal: board and
 * version, run: there is one), so that a run which dies leaves a file that can be checked. Times are
 * milliseconds since the epoch, by the clock of the process that writes the ledger.
 */
export type LedgerLine =
  | { readonly line: 'run'; readonly run: ChaosRun }
  /** Appended before the first attempt is sent, and again whenever an attempt is sent or ends. */
  | { readonly line: 'operation'; readonly operation: ClientOperation }
  /** Appended before the fault begins, when it has taken, and when it has ended. */
  | { readonly line: 'fault'; readonly fault: InjectedFault }
  /** Appended before the records are sent, and again with what was acknowledged. */
  | { readonly line: 'foreign'; readonly foreign: ForeignRecord }
  | { readonly line: 'refusal'; readonly refusal: HandlerRefusal };

/** Everything a ledger says, one entry for each thing. */
export interface History {
  readonly run: ChaosRun;
  readonly operations: readonly ClientOperation[];
  readonly faults: readonly InjectedFault[];
  readonly foreign: readonly ForeignRecord[];
  readonly refusals: readonly HandlerRefusal[];
}

export interface ChaosRun {
  readonly seed: number;
  readonly startedAt: number;
  /** What every title of this run begins with; no other writer uses it. */
  readonly titlePrefix: string;
  /**
   * True: the stack was made for this run, so that everything in it must come from the ledger.
   * False: others write to it as well; only boards whose title has the prefix are checked.
   */
  readonly alone: boolean;
  /**
   * How often catalog-service tries an event before it is a dead letter, the first delivery
   * included.
   */
  readonly attempts: number;
  /** Null until the run has quiesced, or has stopped waiting for it. */
  readonly quiescence: Quiescence | null;
}

/**
 * The wait after the last fault until the groups have lag 0 and every alarm but those of foreign
 * dead letters is gone.
 */
export interface Quiescence {
  readonly lastFaultEndedAt: number;
  /** Null: the stack was not quiet when the run gave up. */
  readonly quietAt: number | null;
  readonly allowedMs: number;
  /**
   * The longest time after the last fault for which the connector was FAILED without being
   * restarted.
   */
  readonly failedMs: number;
}

/** One command of one client, with all its requests. */
export interface ClientOperation {
  /** The Idempotency-Key of all its attempts; unique in the run. */
  readonly key: string;
  readonly client: number;
  readonly kind: 'create' | 'edit' | 'delete';
  /** Null when a board is created. */
  readonly boardId: string | null;
  /**
   * Of a create and an edit: unique in the run (it carries the key or a number), so that an event
   * names its operation. Else null.
   */
  readonly title: string | null;
  /** As sent; null: not sent. */
  readonly content: string | null;
  /** As sent; null: not sent. Only a create has one. */
  readonly author: string | null;
  /** The version that the client demanded with If-Match, or null. */
  readonly ifVersion: number | null;
  readonly attempts: readonly Attempt[];
  /** Sent once, whatever the answer; all others are sent again until their answer is final. */
  readonly isAbandoned: boolean;
  readonly outcome: Outcome;
}

/** One HTTP request. */
export interface Attempt {
  readonly sentAt: number;
  /** Null while it runs. */
  readonly endedAt: number | null;
  readonly result:
    | null
    /** `detail` is the problem's, or null; `digest` is the body's SHA-256, hex. */
    | {
        readonly kind: 'answered';
        readonly status: number;
        readonly detail: string | null;
        readonly digest: string;
      }
    /** The error's code or name: ECONNREFUSED, ECONNRESET, TimeoutError, ... */
    | { readonly kind: 'failed'; readonly error: string };
}

/**
 * `ok`: an attempt was answered 2xx. `refused`: the last attempt was answered 4xx other than 408,
 * 409, 425 and 429; or every attempt is known not to have been done (connection refused, or a 503
 * whose detail ends with "So it was not done."). `unknown`: everything else, also an operation that
 * is still running.
 */
export type Outcome =
  /** `board` is the answer's body, null for a delete (204) and where the answer has none. */
  | { readonly kind: 'ok'; readonly board: AnsweredBoard | null }
  /** The status of the last answer, or null without one. */
  | { readonly kind: 'refused'; readonly status: number | null }
  | { readonly kind: 'unknown' };

export interface AnsweredBoard {
  readonly id: string;
  readonly version: number;
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface InjectedFault {
  readonly id: number;
  /** `kill`, `freeze`, `link cut`, `column renamed`, ... */
  readonly name: string;
  /** The process, link, topic or table. */
  readonly target: string;
  readonly begunAt: number;
  /** When it was seen to have taken; null: not seen yet. */
  readonly tookAt: number | null;
  /** When it was seen to be over, for a kill the end of the process; null: not yet. */
  readonly endedAt: number | null;
  /** Of a kill: when a new process was ready; null: it was not seen to be. */
  readonly readyAt: number | null;
  /** For people: pids, statements, what was seen. */
  readonly details: string;
}

/** Records that another program wrote; all of one kind with one marker. */
export interface ForeignRecord {
  readonly id: number;
  /** `lz4`, `repeated header`, `aborted transaction`, ... */
  readonly kind: string;
  readonly topic: string;
  readonly sentAt: number;
  /** How many were sent. */
  readonly count: number;
  /**
   * How many of them a broker has surely stored; 0 when it refused them, or when no answer came.
   */
  readonly acknowledged: number;
}

/**
 * Stands in the key, the value or a header's value of every foreign record, so that the checker
 * knows it again.
 */
export function foreignMarker(id: number): string {
  return `foreign:${id}:`;
}

/** The handler threw on purpose for this event. */
export interface HandlerRefusal {
  readonly boardId: string;
  readonly version: number;
  /** How often so far, all processes together. */
  readonly times: number;
}
