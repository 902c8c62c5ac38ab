/** The event itself can never be applied: it goes to the DLQ at once, with reason `invalid-event`. */
export class InvalidEventError extends Error {
  override name = 'InvalidEventError';
}

/** Not the event's fault: a server is away or busy; the partition waits and tries again, no attempt is counted. */
export class InfrastructureError extends Error {
  override name = 'InfrastructureError';
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
