import { must } from '@board/service';
import { headerNames } from '@board/contracts';
import { classifyDriverError, type DriverError } from '@board/mysql';
import type { Applied, Rejected } from '../decide.ts';
import { headerText, type Delivery } from '../record.ts';

interface SchemaFailure extends Rejected {
  /** What the database says about it. */
  readonly known: DriverError;
}

/** A failed event that must wait where it is. */
export interface SchemaWait extends SchemaFailure {
  readonly eventType: string;
}

export interface SchemaFailures {
  /** Numbers a batch; call it before its transaction begins. */
  begin(): number;
  /**
   * Learns from a committed batch, and says up to which event its failures may be routed: all of
   * them, or those before the first that must wait. What comes after that is left as it is: the
   * partition reads it again, and routes it then.
   */
  classify(
    batch: number,
    deliveries: readonly Delivery[],
    result: Applied,
  ): { routable: Applied; wait?: SchemaWait };
}

export interface SchemaFailureFacts {
  /** Another event of its type was applied after this one had failed first. */
  readonly typeSucceeds: boolean;
  readonly otherTypesSucceed: boolean;
  /**
   * For how long other types succeeded while this one did not, or since the last release of an
   * event of it.
   */
  readonly typeWaitedMs: number;
  readonly patienceMs: number;
}

/**
 * What to do about a failure whose code says that table and service do not fit (see
 * `DriverErrorKind`).
 *
 * When another event of its type succeeds, it is the event's own failure. When no type succeeds, a
 * deployment is not finished, and events wait for as long as that takes. When only other types
 * succeed, it may be either: each `patienceMs` one event of the type is released, to be retried and
 * dead-lettered like any failed event, so that few are dead-lettered by mistake.
 */
export function decideSchemaFailure(facts: SchemaFailureFacts): 'own-failure' | 'release' | 'wait' {
  if (facts.typeSucceeds) return 'own-failure';
  return facts.otherTypesSucceed && facts.typeWaitedMs >= facts.patienceMs ? 'release' : 'wait';
}

interface Failing {
  /** In which it failed first. */
  readonly batch: number;
  /** Batches from this number on began after the failure was known. */
  readonly nextBatch: number;
  /** When a batch in which it failed applied another event of its type. */
  readonly typeAppliedAtMs: number | undefined;
  readonly seenAtMs: number;
}

interface Success {
  readonly batch: number;
  readonly atMs: number;
}

/** Keeps what the decision needs, of this process alone; never waits. */
export function trackSchemaFailures(patienceMs: number, elapsedMs: () => number): SchemaFailures {
  /**
   * Partitions that wait apply nothing meanwhile: the last success may be as old as a whole wait,
   * and a bit.
   */
  const latelyMs = 2 * patienceMs;
  let batches = 0;
  const failing = new Map<string, Failing>();
  /**
   * Events that are on the way of failed events, by since when: alone in a retry topic, they would
   * be taken for a deployment again.
   */
  const routed = new Map<string, number>();
  const successes = new Map<string, Success>();
  const waitingSince = new Map<string, number>();

  function learn(batch: number, { applied }: Applied, nowMs: number): void {
    for (const delivery of applied) {
      if (delivery.kind !== 'event') continue;
      const type = typeOf(delivery);
      const last = successes.get(type);
      if (last === undefined || last.batch <= batch) successes.set(type, { batch, atMs: nowMs });
      failing.delete(delivery.identity.eventId);
      routed.delete(delivery.identity.eventId);
    }
    // Taken over by another instance, or gone: what is in hand is seen again every few seconds.
    for (const [eventId, { seenAtMs }] of failing)
      if (nowMs - seenAtMs > latelyMs) failing.delete(eventId);
    for (const [eventId, atMs] of routed) if (nowMs - atMs > latelyMs) routed.delete(eventId);
  }

  /**
   * All of them, those after the first that must wait too: what is applied beside them is a
   * duplicate when they come again.
   */
  function noteFailures(
    batch: number,
    { applied }: Applied,
    failures: readonly SchemaFailure[],
    nowMs: number,
  ): void {
    const appliedTypes = new Set(applied.filter(({ kind }) => kind === 'event').map(typeOf));
    for (const { delivery } of failures) {
      const { eventId } = delivery.identity;
      const before = failing.get(eventId);
      failing.set(eventId, {
        batch: before?.batch ?? batch,
        nextBatch: before?.nextBatch ?? batches + 1,
        typeAppliedAtMs: appliedTypes.has(typeOf(delivery)) ? nowMs : before?.typeAppliedAtMs,
        seenAtMs: nowMs,
      });
    }
  }

  function decide(delivery: Delivery, nowMs: number): ReturnType<typeof decideSchemaFailure> {
    const type = typeOf(delivery);
    const first = must(failing.get(delivery.identity.eventId), 'noted failure');
    const isLately = (atMs: number | undefined): boolean =>
      atMs !== undefined && nowMs - atMs <= latelyMs;
    // One that began before the failure was known may have used the table as it was before a
    // change. The event's own batch cannot have: until its COMMIT the tables that it used are
    // locked against changes.
    const isAfter = ({ batch, atMs }: Success): boolean =>
      batch >= first.nextBatch && isLately(atMs);
    const ofType = successes.get(type);
    const typeSucceeds =
      isLately(first.typeAppliedAtMs) || (ofType !== undefined && isAfter(ofType));
    const otherTypesSucceed = [...successes].some(
      ([other, { batch, atMs }]) => other !== type && batch >= first.batch && isLately(atMs),
    );
    if (typeSucceeds || !otherTypesSucceed) waitingSince.delete(type);
    else if (!waitingSince.has(type)) waitingSince.set(type, nowMs);
    const typeWaitedMs = nowMs - (waitingSince.get(type) ?? nowMs);
    return decideSchemaFailure({ typeSucceeds, otherTypesSucceed, typeWaitedMs, patienceMs });
  }

  function findWait(failures: readonly SchemaFailure[], nowMs: number): SchemaWait | undefined {
    for (const { delivery, error, known } of failures) {
      const decision = decide(delivery, nowMs);
      if (decision === 'wait') return { delivery, error, known, eventType: typeOf(delivery) };
      failing.delete(delivery.identity.eventId);
      routed.set(delivery.identity.eventId, nowMs);
      if (decision === 'release') waitingSince.set(typeOf(delivery), nowMs);
    }
    return undefined;
  }

  function schemaFailures(failed: readonly Rejected[]): SchemaFailure[] {
    return failed.flatMap(({ delivery, error }) => {
      const known = classifyDriverError(error);
      const isRouted = routed.has(delivery.identity.eventId);
      return known?.kind === 'schema' && !isRouted ? [{ delivery, error, known }] : [];
    });
  }

  return {
    begin: () => (batches += 1),
    classify(batch, deliveries, result) {
      const nowMs = elapsedMs();
      learn(batch, result, nowMs);
      const place = new Map(deliveries.map((delivery, index) => [delivery, index]));
      const placeOf = (delivery: Delivery): number => place.get(delivery) ?? deliveries.length;
      const inOrder = result.failed.toSorted((a, b) => placeOf(a.delivery) - placeOf(b.delivery));
      const failures = schemaFailures(inOrder);
      noteFailures(batch, result, failures, nowMs);
      const wait = findWait(failures, nowMs);
      if (wait === undefined) return { routable: result };
      const isBefore = (delivery: Delivery): boolean => placeOf(delivery) < placeOf(wait.delivery);
      const routable = {
        ...result,
        failed: result.failed.filter((one) => isBefore(one.delivery)),
        invalid: result.invalid.filter((one) => isBefore(one.delivery)),
        conflicts: result.conflicts.filter(isBefore),
      };
      return { routable, wait };
    },
  };
}

function typeOf({ record }: Delivery): string {
  return headerText(record.headers, headerNames.eventType) ?? '';
}
