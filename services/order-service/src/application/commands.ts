import type { Violation } from '../domain/check-text.ts';

/* What every kind of aggregate has in common: how a command comes in, and what becomes of it. */

/** What a client is told; kept with its idempotency key, so that a repeat gets it byte for byte. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is known of a request beside its command; `State` is the aggregate. */
export interface CommandContext<State> {
  /** W3C trace context of the request. */
  readonly traceparent: string;
  readonly idempotencyKey?: string | undefined;
  /**
   * Asked before the command is carried out: it is refused for this, unless its key has an answer
   * already.
   */
  readonly findRefusal?: (() => Promise<Refusal | undefined>) | undefined;
  /**
   * The answer to the aggregate as the command leaves it; pure, as it is made before COMMIT and
   * sent after it.
   */
  readonly answer: (state: State) => Answer;
}

export type Refusal =
  | { readonly kind: 'invalid'; readonly violations: readonly Violation[] }
  /** `what` is missing or deleted when it is not the aggregate itself. */
  | { readonly kind: 'missing' | 'deleted'; readonly what?: string }
  /** The aggregate has another version than those that the client takes for current. */
  | { readonly kind: 'stale'; readonly version: number }
  /**
   * The aggregate is in a state that forbids the command; `detail` is a sentence for the client.
   */
  | { readonly kind: 'conflict'; readonly detail: string }
  /** The first request with this idempotency key has no answer yet. */
  | { readonly kind: 'key-running' }
  /** The idempotency key came with another command before. */
  | { readonly kind: 'key-reused' };

/** An event that was committed, for the log line with which its timeline begins. */
interface CommittedEvent {
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly eventId: string;
  readonly eventType: string;
}

export type CommandResult =
  | { readonly kind: 'done'; readonly committed: CommittedEvent; readonly answer: Answer }
  /** The first answer of this idempotency key. */
  | { readonly kind: 'repeated'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * Throws UnavailableError when the command was not done, or when it is not known whether it was.
 */
export type HandleCommand<Command, State> = (
  command: Command,
  context: CommandContext<State>,
) => Promise<CommandResult>;
