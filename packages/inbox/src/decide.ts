import { must } from '@board/service';
import { headerNames } from '@board/contracts';
import { InvalidEventError } from './errors.ts';
import type { Message } from './handler.ts';
import {
  headerText,
  identityKey,
  type Delivery,
  type Identity,
  type RecordHeaders,
} from './record.ts';

/** The aggregate of the inbox's self-tests: no event may carry it. */
export const selfTestAggregateId = 'inbox-probe';

/** `problem`: what is wrong with the headers, in one sentence. */
export type Identification =
  | { readonly kind: 'identified'; readonly identity: Identity }
  | { readonly kind: 'no-identity'; readonly problem: string };

const maxVersion = 2 ** 32 - 1;
const maxAggregateIdLength = 64;
const maxEventIdLength = 36;

/** Visible ASCII only: what the key columns can hold without changing it. */
const visibleAscii = /^[\x21-\x7e]+$/;

/**
 * Reads a record's identity from its headers; what does not fit the mark's columns is no identity,
 * because a shortened id would be another aggregate's mark.
 */
export function identify(
  headers: RecordHeaders,
  reservedId: string | null = selfTestAggregateId,
): Identification {
  if (headers.problem !== undefined) return noIdentity(headers.problem);
  const eventId = headerText(headers, headerNames.eventId);
  const aggregateId = headerText(headers, headerNames.aggregateId);
  const version = headerText(headers, headerNames.version);
  if (!fits(eventId, maxEventIdLength))
    return unusable(headerNames.eventId, eventId, `1-${maxEventIdLength} visible ASCII characters`);
  if (!fits(aggregateId, maxAggregateIdLength))
    return unusable(
      headerNames.aggregateId,
      aggregateId,
      `1-${maxAggregateIdLength} visible ASCII characters`,
    );
  if (aggregateId === reservedId) return noIdentity(`the aggregate id ${reservedId} is reserved`);
  if (version === undefined || !/^[1-9]\d{0,9}$/.test(version) || Number(version) > maxVersion)
    return unusable(headerNames.version, version, `an integer from 1 to ${maxVersion}`);
  return { kind: 'identified', identity: { eventId, aggregateId, version: Number(version) } };
}

function fits(text: string | undefined, maxLength: number): text is string {
  return text !== undefined && text.length <= maxLength && visibleAscii.test(text);
}

function unusable(name: string, got: string | undefined, required: string): Identification {
  const shown = got === undefined ? 'missing or repeated' : JSON.stringify(got.slice(0, 100));
  return noIdentity(`header ${name} is ${shown}, must be ${required}`);
}

function noIdentity(problem: string): Identification {
  return { kind: 'no-identity', problem };
}

/**
 * How far a consumer has come with one aggregate: the highest version applied or skipped, and that
 * event's id.
 */
export interface Mark {
  /** 0 before the first event. */
  readonly version: number;
  readonly eventId: string;
}

/** `conflict`: another event has the version of the mark. */
export type Decision = 'apply' | 'duplicate' | 'park' | 'conflict';

/** What to do with an event, from its identity and the mark of its aggregate alone. */
export function decide(mark: Mark, event: Identity): Decision {
  if (event.version === mark.version && event.eventId !== mark.eventId) return 'conflict';
  if (event.version <= mark.version) return 'duplicate';
  return event.version === mark.version + 1 ? 'apply' : 'park';
}

/** One thing to do in the batch's transaction, in this order. */
export type Step =
  | {
      readonly kind: 'handle';
      readonly delivery: Delivery;
      readonly message: Message;
      readonly movesMark: boolean;
    }
  /** The mark moves past it. */
  | { readonly kind: 'no-effect'; readonly delivery: Delivery };

/** A delivery that was not applied, and why. */
export interface Rejected {
  readonly delivery: Delivery;
  readonly error: unknown;
}

/** What to do with each delivery of a batch. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly park: readonly Delivery[];
  readonly duplicates: readonly Delivery[];
  readonly conflicts: readonly Delivery[];
  /** Could not be decoded, now that their turn has come. */
  readonly invalid: readonly Rejected[];
  /** Known to fail from an earlier try of this batch; not handled again. */
  readonly failed: readonly Rejected[];
}

/** What became of a batch; the first four hold once the transaction has committed. */
export interface Applied {
  readonly applied: readonly Delivery[];
  readonly duplicates: readonly Delivery[];
  readonly parked: readonly Delivery[];
  /** Aggregates whose next event may be parked. */
  readonly drainable: readonly string[];
  /** The handler threw or was too late: to a retry topic. */
  readonly failed: readonly Rejected[];
  /** Can never be applied: to the DLQ. */
  readonly invalid: readonly Rejected[];
  /** Another event holds their place: to the DLQ. */
  readonly conflicts: readonly Delivery[];
}

export interface PlanInput {
  readonly deliveries: readonly Delivery[];
  /** Mark of every aggregate among the deliveries. */
  readonly marks: ReadonlyMap<string, Mark>;
  /**
   * Events that were skipped and whose version equals the mark: a replay of one applies after all.
   */
  readonly reopened: readonly Identity[];
  /**
   * Keys of events that were skipped although their mark is not there yet, which only a rebuild
   * leaves: passed over in their turn.
   */
  readonly skippedAhead?: ReadonlySet<string>;
  /** Failures of an earlier try of this batch, by event id. */
  readonly knownFailures: ReadonlyMap<string, unknown>;
  /** Decodes a record in its turn; throws InvalidEventError. */
  readonly toMessage: (delivery: Delivery) => Message;
}

/**
 * Decides a whole batch, in order, without waiting for anything: an event that cannot be handled
 * does not move its aggregate's mark, so whatever follows it in the same aggregate parks.
 */
export function planBatch(input: PlanInput): Plan {
  const marks = new Map(input.marks);
  // Each is used up by the first copy that applies: a batch may hold several replays of one event.
  const reopened = new Set(input.reopened.map(identityKey));
  const steps: Step[] = [];
  const park: Delivery[] = [];
  const duplicates: Delivery[] = [];
  const conflicts: Delivery[] = [];
  const invalid: Rejected[] = [];
  const failed: Rejected[] = [];

  for (const delivery of input.deliveries) {
    const { identity } = delivery;
    const mark = must(marks.get(identity.aggregateId), 'locked mark');
    const decision = decide(mark, identity);
    const reapplies =
      decision === 'duplicate' &&
      delivery.replayed &&
      identity.version === mark.version &&
      reopened.delete(identityKey(identity));

    if (decision === 'apply' || reapplies) {
      const wasSkipped =
        !delivery.replayed && input.skippedAhead?.has(identityKey(identity)) === true;
      if (delivery.kind === 'skip-marker' || wasSkipped) {
        steps.push({ kind: 'no-effect', delivery });
        marks.set(identity.aggregateId, identity);
        continue;
      }
      if (input.knownFailures.has(identity.eventId)) {
        failed.push({ delivery, error: input.knownFailures.get(identity.eventId) });
        continue;
      }
      try {
        steps.push({
          kind: 'handle',
          delivery,
          message: input.toMessage(delivery),
          movesMark: !reapplies,
        });
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
