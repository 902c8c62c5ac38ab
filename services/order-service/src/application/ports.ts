import type { Board } from '../domain/board.ts';
import type { Violation } from '../domain/check-text.ts';

/* What the HTTP edge asks of the application: commands of every kind of aggregate, and reads. */

/** What a client gets; kept with the idempotency key, so that a repeat gets it byte for byte. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is known of a request besides its command; `State` is the aggregate. */
export interface CommandContext<State> {
  /** W3C trace context of the request. */
  readonly traceparent: string;
  readonly idempotencyKey?: string | undefined;
  /**
   * Called before the command is carried out: the command is refused for the returned reason,
   * unless its key has an answer already.
   */
  readonly findRefusal?: (() => Promise<Refusal | undefined>) | undefined;
  /** The answer for the aggregate after the command. Pure: it is made before COMMIT, sent after. */
  readonly answer: (state: State) => Answer;
}

/** Why a command was not carried out. */
export type Refusal =
  | { readonly kind: 'invalid'; readonly violations: readonly Violation[] }
  /** `what` is missing or deleted when it is not the aggregate itself. */
  | { readonly kind: 'missing' | 'deleted'; readonly what?: string }
  /** The aggregate has none of the versions that the client expects. */
  | { readonly kind: 'stale'; readonly version: number }
  /**
   * The state of the aggregate forbids the command; `detail` is a sentence for the client. For
   * other kinds of aggregate: neither a board nor a comment is in such a state.
   */
  | { readonly kind: 'conflict'; readonly detail: string }
  /** The first request with this idempotency key has no answer yet. */
  | { readonly kind: 'key-running' }
  /** The idempotency key was used for another command. */
  | { readonly kind: 'key-reused' };

/** A committed event, for the log line with which its timeline begins. */
interface CommittedEvent {
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly eventId: string;
  readonly eventType: string;
}

/** What became of a command. */
export type CommandResult =
  | { readonly kind: 'done'; readonly committed: CommittedEvent; readonly answer: Answer }
  /** The first answer of this idempotency key. */
  | { readonly kind: 'repeated'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * Carries out a command; resolves after COMMIT. Throws UnavailableError when the command was not
 * carried out, or when that is not known.
 */
export type HandleCommand<Command, State> = (
  command: Command,
  context: CommandContext<State>,
) => Promise<CommandResult>;

interface BoardPage {
  readonly boards: readonly Board[];
  /** The id to go on from, or null when this is the last page. */
  readonly next: string | null;
}

/** Reads boards, from a database that may be behind the one that commits. */
export interface BoardReader {
  /** Finds deleted boards too. Throws UnavailableError when the database cannot be asked now. */
  find(id: string): Promise<Board | undefined>;
  /**
   * Newest first, without deleted boards, at most `limit` and fewer when they are long; `before` is
   * the `next` of the previous page.
   */
  list(page: { readonly before?: string | undefined; readonly limit: number }): Promise<BoardPage>;
}
