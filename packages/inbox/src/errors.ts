import type { Delivery } from './record.ts';

/**
 * The event itself can never be applied: it goes to the DLQ at once, with reason `invalid-event`.
 */
export class InvalidEventError extends Error {
  override name = 'InvalidEventError';
}

/**
 * Not the event's fault: a server is away or busy; the partition waits and tries again, no attempt
 * is counted.
 */
export class InfrastructureError extends Error {
  override name = 'InfrastructureError';
}

/**
 * A table or column is not as the handler needs it: all before this delivery was processed, it and
 * what follows must wait.
 */
export class UnfinishedDeploymentError extends InfrastructureError {
  override name = 'UnfinishedDeploymentError';
  readonly delivery: Delivery;
  /** So many of the first records that were handed over are processed. */
  processed = 0;

  constructor(message: string, delivery: Delivery, cause: unknown) {
    super(message, { cause });
    this.delivery = delivery;
  }
}

/** A handler passed its deadline; its connection is gone, and with it the transaction. */
export class HandlerTimeoutError extends Error {
  override name = 'HandlerTimeoutError';
  readonly eventIds: readonly string[];

  constructor(eventIds: readonly string[], deadlineMs: number) {
    super(`the handler did not finish within ${deadlineMs} ms`);
    this.eventIds = eventIds;
  }
}

export interface ErrorText {
  readonly errorClass: string;
  readonly message: string;
  readonly stack: string;
}

const maxClassLength = 200;
const maxMessageLength = 1_000;
const maxStackLength = 4_096;

/**
 * An error of any kind, a thrown string, undefined or object without a prototype too, as bounded
 * text; never throws.
 */
export function describeError(error: unknown): ErrorText {
  const isError = error instanceof Error;
  return {
    errorClass: toText(() => (isError ? error.name || 'Error' : typeof error)).slice(
      0,
      maxClassLength,
    ),
    message: toText(() => (isError ? error.message : error)).slice(0, maxMessageLength),
    stack: toText(() => (isError ? (error.stack ?? '') : '')).slice(0, maxStackLength),
  };
}

/** Handlers throw whatever they like: even reading a property or turning it into text may throw. */
function toText(read: () => unknown): string {
  try {
    return String(read());
  } catch {
    return 'cannot be shown';
  }
}
