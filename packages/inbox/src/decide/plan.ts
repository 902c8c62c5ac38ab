import type { Delivery } from '../delivery.ts';
import { InvalidEventError } from '../errors.ts';
import type { Message } from '../handler.ts';
import { decide, type Mark } from './decide.ts';

/** One thing to do in the batch's transaction, in this order. */
export type Step<E> =
  | { readonly kind: 'handle'; readonly delivery: Delivery; readonly message: Message<E>; readonly movesMark: boolean }
  | { readonly kind: 'pass'; readonly delivery: Delivery };

export interface Rejected {
  readonly delivery: Delivery;
  readonly error: unknown;
}

export interface Plan<E> {
  readonly steps: readonly Step<E>[];
  readonly park: readonly Delivery[];
  readonly duplicates: readonly Delivery[];
  readonly conflicts: readonly Delivery[];
  /** Could not be decoded, now that their turn has come. */
  readonly invalid: readonly Rejected[];
  /** Known to fail from an earlier try of this batch; not handled again. */
  readonly failed: readonly Rejected[];
}

export interface PlanInput<E> {
  readonly deliveries: readonly Delivery[];
  /** Mark of every aggregate among the deliveries. */
  readonly marks: ReadonlyMap<string, Mark>;
  /** Event ids whose version was skipped and equals the mark: a replay of one applies after all. */
  readonly reopened: ReadonlySet<string>;
  /** Event ids that were skipped although their mark is not there yet, which only a rebuild leaves: passed over in their turn. */
  readonly skippedAhead?: ReadonlySet<string>;
  /** Failures of an earlier try of this batch, by event id. */
  readonly knownFailures: ReadonlyMap<string, unknown>;
  /** Decodes a record in its turn; throws InvalidEventError. */
  readonly toMessage: (delivery: Delivery) => Message<E>;
}

/**
 * Decides a whole batch, in order, without waiting for anything: an event that cannot be handled does not move
 * its aggregate's mark, so whatever follows it in the same aggregate parks.
 */
export function planBatch<E>(input: PlanInput<E>): Plan<E> {
  const marks = new Map(input.marks);
  // Each is used up by the first copy that applies: a batch may hold several replays of one event.
  const reopened = new Set(input.reopened);
  const steps: Step<E>[] = [];
  const park: Delivery[] = [];
  const duplicates: Delivery[] = [];
  const conflicts: Delivery[] = [];
  const invalid: Rejected[] = [];
  const failed: Rejected[] = [];

  for (const delivery of input.deliveries) {
    const { identity } = delivery;
    const mark = marks.get(identity.aggregateId) ?? { version: 0, eventId: '' };
    const decision = decide(mark, identity);
    const reapplies =
      decision === 'duplicate' &&
      delivery.replayed &&
      identity.version === mark.version &&
      reopened.delete(identity.eventId);

    if (decision === 'apply' || reapplies) {
      const wasSkipped = !delivery.replayed && input.skippedAhead?.has(identity.eventId) === true;
      if (delivery.kind === 'skip-marker' || wasSkipped) {
        steps.push({ kind: 'pass', delivery });
        marks.set(identity.aggregateId, identity);
        continue;
      }
      if (input.knownFailures.has(identity.eventId)) {
        failed.push({ delivery, error: input.knownFailures.get(identity.eventId) });
        continue;
      }
      try {
        steps.push({ kind: 'handle', delivery, message: input.toMessage(delivery), movesMark: !reapplies });
        if (!reapplies) marks.set(identity.aggregateId, identity);
      } catch (error) {
        if (!(error instanceof InvalidEventError)) throw error;
        invalid.push({ delivery, error });
      }
    } else if (decision === 'park') park.push(delivery);
    else if (decision === 'conflict') conflicts.push(delivery);
    else duplicates.push(delivery);
  }
  return { steps, park, duplicates, conflicts, invalid, failed };
}
