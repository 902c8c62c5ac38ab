import type { EventSchema } from '@board/contracts';
import type { Health, Logger } from '@board/service';
import { fingerprintOf, type Registry } from './ask-registry.ts';
import type { EventEncoder } from './create-event-encoder.ts';
import type { RegisteredSchema, SchemaMemory } from './registered-schema.ts';

export interface SchemaIdsParts {
  readonly registry: Registry;
  readonly memory: SchemaMemory;
  readonly schemas: readonly EventSchema[];
  readonly encoder: EventEncoder;
  readonly health: Health;
  readonly logger: Logger;
}

/**
 * The ids that events are written with. They are asked for at the start, and looked at now and
 * then: an event that no consumer can decode must not be committed quietly, and a registry that is
 * merely away must not stop a write.
 */
export interface SchemaIds {
  /** Throws while there are none to write with. */
  open(): Promise<void>;
  /** Never throws. */
  check(): Promise<void>;
}

const alarm = 'event schemas';
const recipe = 'docs/runbook.md "The registry lost schemas"';

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
  // Until they are open, the service waits for the registry and says so itself.
  readiness.ready();
  let used: readonly RegisteredSchema[] = [];
  let isChecking = false;
  /**
   * The last look found our schemas missing: one answer alone may be a registry that is starting.
   */
  let wasMissing = false;

  /** Consumers that know the id by its old schema would misread what is written with it now. */
  function pause(reason: string): void {
    encoder.pause(`Events cannot be written: ${reason}.`);
    readiness.notReady(reason);
    alarms.raise(alarm, `${reason}; nothing is written: ${recipe}`);
    logger.error({ event: 'schemas.paused', reason });
  }

  /**
   * Writes go on: consumers that resolved the ids before can read the events, and the recipe makes
   * them readable to all.
   */
  function warn(reason: string): void {
    const ids = used.map(
      ({ id, subject, fingerprint }) => `${id} (${subject}, fingerprint ${fingerprint})`,
    );
    alarms.raise(
      alarm,
      `${reason}; events are still written with the schema ids ${ids.join(', ')}: ${recipe}`,
    );
    logger.error({ event: 'schemas.lost', reason });
  }

  /**
   * Takes the ids that the registry gives our schemas now; says why not when they cannot be used.
   */
  async function learn(): Promise<Refused | undefined> {
    const known = await memory.read();
    const answer = await registry.find(schemas);
    if (answer.kind === 'missing') return answer;
    const { found } = answer;
    const conflict = findConflict(known, found);
    if (conflict !== undefined) return { kind: 'conflict', reason: conflict };
    // Before the first event with it.
    await memory.remember(found.filter(({ id }) => known.every((one) => one.id !== id)));
    use(found);
    return undefined;
  }

  function use(found: readonly RegisteredSchema[]): void {
    used = found;
    encoder.useIds(new Map(found.map(({ subject, id }) => [subject, id])));
    readiness.ready();
    alarms.clear(alarm);
  }

  async function look(): Promise<void> {
    const changed = (await Promise.all(used.map(changeOf))).find((change) => change !== undefined);
    if (changed !== undefined) pause(changed);
    const refused = await learn();
    if (refused?.kind === 'conflict') pause(refused.reason);
    if (refused?.kind === 'missing' && wasMissing && changed === undefined) warn(refused.reason);
    wasMissing = refused?.kind === 'missing';
  }

  async function changeOf(one: RegisteredSchema): Promise<string | undefined> {
    const now = await registry.fingerprintOf(one.id);
    return now === undefined || now === one.fingerprint ? undefined : describeChange(one, now);
  }

  return {
    async open() {
      let refused: Refused | undefined;
      try {
        refused = await learn();
      } catch (error) {
        const remembered = pickRemembered(schemas, await memory.read());
        if (remembered === undefined) throw error;
        // Merely away: this service has written with these ids before.
        logger.warn({
          event: 'schemas.from-memory',
          ids: remembered.map(({ id }) => id),
          err: error,
        });
        use(remembered);
      }
      if (refused === undefined) return;
      alarms.raise(alarm, `${refused.reason}; nothing is written: ${recipe}`);
      throw new Error(refused.reason);
    },
    async check() {
      if (isChecking) return;
      isChecking = true;
      try {
        await look();
      } catch (err) {
        // Merely away: what is known of it stays.
        logger.warn({ event: 'schemas.not-checked', err });
      } finally {
        isChecking = false;
      }
    },
  };
}

interface Refused {
  readonly kind: 'missing' | 'conflict';
  readonly reason: string;
}

/** An id that already meant another schema; undefined when there is none. */
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

/** The newest remembered id of each of our schemas; undefined when one was never written. */
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
