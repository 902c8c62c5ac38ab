import type { Delivery } from './delivery.ts';

/** The event itself can never be applied: it goes to the DLQ at once, with reason `invalid-event`. */
export class InvalidEventError extends Error {
  override name = 'InvalidEventError';
}

/** Not the event's fault: a server is away or busy; the partition waits and tries again, no attempt is counted. */
export class InfrastructureError extends Error {
  override name = 'InfrastructureError';
}

/** A table or column is not as the handler needs it: all before this delivery was settled, it and what follows must wait. */
export class UnfinishedDeploymentError extends InfrastructureError {
  override name = 'UnfinishedDeploymentError';
  readonly delivery: Delivery;
  /** So many of the first records that were handed over are settled. */
  settled = 0;

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
