import type { EventSchema } from '@board/contracts';
import { frame } from '@board/registry';
import { UnavailableError, type Health, type Logger } from '@board/service';
import avro from 'avsc';
import {
  fingerprintOf,
  type RegisteredSchema,
  type Registry,
  type SchemaMemory,
} from './registered-schemas.ts';

/** Encodes events while it has the ids of their schemas. */
export interface EventEncoder {
  /** Events are encoded with these ids from now on. */
  useIds(idBySubject: ReadonlyMap<string, number>): void;
  /** No event is encoded, for this reason, until ids are given again. */
  pause(reason: string): void;
  /**
   * Returns Confluent's wire format. Throws when the event breaks its schema, and UnavailableError
   * while the ids are not known.
   */
  encode(event: { readonly type: string; readonly data: unknown }): Buffer;
}

/** Encodes events with these schemas; throws when two of them have the same event type. */
export function createEventEncoder(schemas: readonly EventSchema[]): EventEncoder {
  const types = new Map<string, { readonly subject: string; readonly type: avro.Type }>();
  for (const { eventType, subject, schema } of schemas) {
    const other = types.get(eventType);
    if (other)
      throw new Error(
        `The event type ${eventType} stands for two schemas: ${other.subject} and ${subject}.`,
      );
    types.set(eventType, { subject, type: avro.Type.forSchema(JSON.parse(schema)) });
  }
  let ids: ReadonlyMap<string, number> | undefined;
  let missing = 'The ids of the event schemas are not known yet: waiting for the registry.';

  return {
    useIds: (idBySubject) => (ids = idBySubject),
    pause(reason) {
      ids = undefined;
      missing = reason;
    },
    encode({ type: eventType, data }) {
      if (!ids) throw new UnavailableError(missing);
      const known = types.get(eventType);
      const id = ids.get(known?.subject ?? '');
      if (!known || id === undefined)
        throw new Error(`There is no registered schema for ${eventType}.`);
      return frame(id, known.type.toBuffer(data));
    },
  };
}

/** What the ids are asked from, and what is told about them. */
export interface SchemaIdsParts {
  readonly registry: Registry;
  readonly memory: SchemaMemory;
  readonly schemas: readonly EventSchema[];
  readonly encoder: EventEncoder;
  readonly health: Health;
  readonly logger: Logger;
}

/**
 * The ids that events are written with: read at the start, and checked from time to time. An event
 * that no consumer can decode must not be committed without an alarm, and a registry that is only
 * unreachable must not stop a write.
 */
export interface SchemaIds {
  /** Throws while there are no ids to write with. */
  open(): Promise<void>;
  /** Never throws. */
  check(): Promise<void>;
}

const alarm = 'event schemas';
const instructions = 'docs/runbook.md "The registry lost schemas"';

/** Gives the encoder its ids, and takes them away when one of them has changed its meaning. */
export function keepSchemaIds({
  registry,
  memory,
  schemas,
  encoder,
  health,
  logger,
}: SchemaIdsParts): SchemaIds {
  const { alarms } = health;
  const readiness = health.readiness.state('event schemas', '');
  // Before `open` has succeeded, the service waits for the registry and reports that itself.
  readiness.ready();
  let used: readonly RegisteredSchema[] = [];
  let isChecking = false;
  /**
   * At the last check schemas were missing: a single such answer may come from a starting registry.
   */
  let wasMissing = false;

  /** Consumers that know the id by its old schema would misread an event with its new one. */
  function pause(reason: string): void {
    encoder.pause(`Events cannot be written: ${reason}.`);
    readiness.notReady(reason);
    alarms.raise(alarm, `${reason}; nothing is written: ${instructions}`);
    logger.error({ event: 'schemas.paused', reason });
  }

  /**
   * Writes go on: consumers that have resolved the ids can read the events, and the instructions
   * make them readable to all.
   */
  function warn(reason: string): void {
    const ids = used.map(
      ({ id, subject, fingerprint }) => `${id} (${subject}, fingerprint ${fingerprint})`,
    );
    alarms.raise(
      alarm,
      `${reason}; events are still written with the schema ids ${ids.join(', ')}: ${instructions}`,
    );
    logger.error({ event: 'schemas.lost', reason });
  }

  /** Takes the ids that the registry gives the schemas now, unless they cannot be used. */
  async function learn(): Promise<Learned> {
    const known = await memory.read();
    const answer = await registry.find(schemas);
    if (answer.kind === 'missing') return answer;
    const { found } = answer;
    const conflict = findConflict(known, found);
    if (conflict !== undefined) return { kind: 'conflict', reason: conflict };
    // The id must be remembered before the first event with it.
    await memory.remember(found.filter(({ id }) => known.every((one) => one.id !== id)));
    use(found);
    return { kind: 'used' };
  }

  function use(found: readonly RegisteredSchema[]): void {
    used = found;
    encoder.useIds(new Map(found.map(({ subject, id }) => [subject, id])));
    readiness.ready();
    alarms.clear(alarm);
  }

  async function compare(): Promise<void> {
    const changed = (await Promise.all(used.map(changeOf))).find((change) => change !== undefined);
    if (changed !== undefined) pause(changed);
    const learned = await learn();
    if (learned.kind === 'conflict') pause(learned.reason);
    if (learned.kind === 'missing' && wasMissing && changed === undefined) warn(learned.reason);
    wasMissing = learned.kind === 'missing';
  }

  async function changeOf(one: RegisteredSchema): Promise<string | undefined> {
    const now = await registry.fingerprintOf(one.id);
    return now === undefined || now === one.fingerprint ? undefined : describeChange(one, now);
  }

  return {
    async open() {
      let learned: Learned = { kind: 'used' };
      try {
        learned = await learn();
      } catch (error) {
        const remembered = pickRemembered(schemas, await memory.read());
        if (remembered === undefined) throw error;
        // The registry is only unreachable: this service has written with these ids before.
        logger.warn({
          event: 'schemas.from-memory',
          ids: remembered.map(({ id }) => id),
          err: error,
        });
        use(remembered);
      }
      if (learned.kind === 'used') return;
      alarms.raise(alarm, `${learned.reason}; nothing is written: ${instructions}`);
      throw new Error(learned.reason);
    },
    async check() {
      if (isChecking) return;
      isChecking = true;
      try {
        await compare();
      } catch (err) {
        // The registry is only unreachable: the ids stay as they are.
        logger.warn({ event: 'schemas.not-checked', err });
      } finally {
        isChecking = false;
      }
    },
  };
}

type Learned =
  | { readonly kind: 'used' }
  /** The registry does not have the schemas, or an id of theirs once meant another schema. */
  | { readonly kind: 'missing' | 'conflict'; readonly reason: string };

/** Describes an id that meant another schema before; undefined when there is none. */
function findConflict(
  known: readonly RegisteredSchema[],
  found: readonly RegisteredSchema[],
): string | undefined {
  for (const one of found) {
    const before = known.find(({ id }) => id === one.id);
    if (before !== undefined && before.fingerprint !== one.fingerprint)
      return describeChange(before, one.fingerprint);
  }
  return undefined;
}

function describeChange({ id, subject, fingerprint }: RegisteredSchema, now: string): string {
  return `schema id ${id} of ${subject} has changed: its fingerprint was ${fingerprint}, the registry now gives it ${now}`;
}

/** The newest remembered id of each schema; undefined when one of them was never used. */
function pickRemembered(
  schemas: readonly EventSchema[],
  known: readonly RegisteredSchema[],
): readonly RegisteredSchema[] | undefined {
  const picked = schemas.map(({ subject, schema }) => {
    const fingerprint = fingerprintOf(schema);
    return known.findLast((one) => one.subject === subject && one.fingerprint === fingerprint);
  });
  return picked.every((one) => one !== undefined) ? picked : undefined;
}
