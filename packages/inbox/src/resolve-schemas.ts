import type { Alarms, Logger } from '@board/service-kit';
import avsc from 'avsc';
import type { DataSource } from 'typeorm';
import type { Consumer } from './consumer.ts';
import { findLettersByError } from './database/dead-letters.ts';
import { readKnownSchemas, rememberSchema, type KnownSchema, type SchemaKey } from './database/known-schemas.ts';
import { InfrastructureError } from './errors.ts';
import { fingerprintOf, textOf, type RegistryClient, type SchemaAnswer } from './registry.ts';
import { describeError } from './route/describe-error.ts';
import type { InboxSettings } from './settings.ts';
import { decideSchemaFault, schemaEvidence } from './suspect-schemas.ts';

/** An event type that this consumer knows, and the Avro schema that it reads it with. */
export interface ReaderSchema {
  readonly eventType: string;
  /** Under which the registry keeps the versions of its schema. */
  readonly subject: string;
  /** JSON text. */
  readonly schema: string;
}

export interface SchemaUse extends SchemaKey {
  readonly aggregateId: string;
}

type Resolution =
  | { readonly kind: 'usable'; readonly reader: avsc.Type; readonly resolver: avsc.Resolver }
  /** The event's own fault. */
  | { readonly kind: 'invalid'; readonly problem: string }
  /** The registry's fault, or not clear yet: the event waits. */
  | { readonly kind: 'held'; readonly reason: string };

/**
 * Schemas by the ids that events carry. The registry says what an id means, the consumer's own memory what it meant before;
 * where they contradict each other, or the registry cannot be itself, events wait and an alarm says why.
 */
export interface SchemaResolver {
  readonly eventTypes: readonly string[];
  find(key: SchemaKey): Resolution | undefined;
  /**
   * Resolves ids before a transaction holds locks; afterwards `find` knows each. `decodes` tries whether an event in hand
   * of this type decodes. Throws InfrastructureError when the registry does not answer and the memory has no answer either.
   */
  resolve(uses: readonly SchemaUse[], decodes: (eventType: string) => boolean): Promise<void>;
  /** The Avro bytes of some event; `find` knows their schema by `sampleSchemaId`. */
  sample(): { readonly eventType: string; readonly value: Buffer };
  /** Says that an event of this type has decoded. */
  decoded(eventType: string): void;
  /** Asks the registry whether the ids in use still mean what they meant; never throws. */
  check(): Promise<void>;
}

export interface SchemaResolverParts {
  readonly registry: RegistryClient;
  readonly readers: readonly ReaderSchema[];
  readonly consumer: Consumer;
  readonly dataSource: DataSource;
  readonly settings: InboxSettings;
  readonly alarms: Alarms;
  readonly logger: Logger;
  readonly now: () => number;
  /** For how long something lasts: no clock that is set changes it. */
  readonly elapsedMs: () => number;
}

interface UsedSchema extends SchemaKey {
  readonly fingerprint: string;
  /** The registry itself has confirmed it to this process. */
  isConfirmed: boolean;
}

interface Trouble {
  readonly reason: string;
  /** Letters that were published for it before it was clear. */
  readonly letters: string;
  readonly sinceMs: number;
  readonly seenMs: number;
}

/** An id that no registry gives, for what the inbox tries itself with. */
export const sampleSchemaId = -1;

const alarm = 'schemas';
const requestsAtOnce = 20;
const namedTroubles = 5;
const namedLetters = 10;
/** What is still in the way is met again every few seconds: what was not for so long is another instance's now. */
const forgetTroubleMs = 60_000;

export function createSchemaResolver(parts: SchemaResolverParts): SchemaResolver {
  const { registry, readers, consumer, dataSource, settings, alarms, logger, now, elapsedMs } = parts;
  const readerTypes = new Map(readers.map((one) => [one.eventType, parse(one.schema)]));
  const subjects = readers.map(({ subject }) => subject);
  const resolutions = new Map<string, Map<number, Resolution>>();
  const used = new Map<string, UsedSchema>();
  const troubles = new Map<string, Trouble>();
  const evidence = schemaEvidence(settings);

  function set({ eventType, schemaId }: SchemaKey, resolution: Resolution): void {
    const ofType = resolutions.get(eventType) ?? new Map<number, Resolution>();
    resolutions.set(eventType, ofType.set(schemaId, resolution));
    if (resolution.kind !== 'usable') used.delete(nameOf({ eventType, schemaId }));
    // Asked for anew by each batch, and written by anyone.
    if (resolution.kind !== 'usable' && ofType.size > 10_000) ofType.clear();
  }

  function drop({ eventType, schemaId }: SchemaKey): void {
    resolutions.get(eventType)?.delete(schemaId);
    used.delete(nameOf({ eventType, schemaId }));
  }

  function use(key: SchemaKey, writer: avsc.Type, isConfirmed: boolean): void {
    set(key, resolverOf(key, readerTypes.get(key.eventType), writer));
    used.set(nameOf(key), { ...key, fingerprint: fingerprintOf(writer), isConfirmed });
    troubles.delete(nameOf(key));
  }

  async function hold(key: SchemaKey, reason: string): Promise<void> {
    set(key, { kind: 'held', reason });
    await note(key, reason);
  }

  async function note(key: SchemaKey, reason: string): Promise<void> {
    const name = nameOf(key);
    const known = troubles.get(name);
    const seenMs = elapsedMs();
    if (known?.reason === reason) {
      troubles.set(name, { ...known, seenMs });
      return;
    }
    logger.error({ event: 'inbox.schema-trouble', eventType: key.eventType, schemaId: key.schemaId, reason });
    const letters = await describeLetters(key);
    troubles.set(name, { reason, letters, sinceMs: known?.sinceMs ?? seenMs, seenMs });
  }

  async function describeLetters(key: SchemaKey): Promise<string> {
    const text = `${nameOf(key)} `;
    const { count, letters } = await findLettersByError(dataSource, consumer, text, namedLetters);
    if (count === 0) return '';
    const more = count > letters.length ? ' and more' : '';
    return `; dead-lettered before this was clear: ${count} (${letters.join(', ')}${more}), replay them afterwards: npm run dlq -- replay --error "${text}"`;
  }

  function tell(): void {
    for (const [name, { seenMs }] of troubles) if (elapsedMs() - seenMs > forgetTroubleMs) troubles.delete(name);
    if (troubles.size === 0) return alarms.clear(alarm);
    const all = [...troubles.values()].map(({ reason, letters }) => reason + letters);
    const more = all.length > namedTroubles ? `; and ${all.length - namedTroubles} more` : '';
    alarms.raise(
      alarm,
      `${all.slice(0, namedTroubles).join('; ')}${more}; "npm run inbox -- schemas" compares, docs/runbook.md "The registry lost schemas" has the ways out`,
    );
  }

  /** What is left after what the memory and the registry say together of ids: those that neither can explain. */
  async function compare(keys: readonly SchemaKey[], known: readonly KnownSchema[]): Promise<readonly Suspect[]> {
    const suspects: Suspect[] = [];
    const stored = new Map(known.map((one) => [nameOf(one), one]));
    const open = keys.filter((key) => {
      const own = stored.get(nameOf(key));
      if (own === undefined || own.decision === 'registry') return true;
      if (own.decision === 'stored') use(key, parse(own.text), true);
      else set(key, { kind: 'invalid', problem: `${nameOf(key)} is refused by an operator` });
      troubles.delete(nameOf(key));
      return false;
    });
    const answers = await ask(open.map(({ schemaId }) => schemaId));
    for (const key of open) {
      const own = stored.get(nameOf(key));
      const answer = answers.get(key.schemaId) ?? { kind: 'unknown' };
      if (answer.kind === 'no-answer') {
        if (own === undefined || own.decision === 'refused') throw answer.error;
        // The registry is merely away: what it said before is as good as what it would say now.
        use(key, parse(own.text), false);
        logger.warn({ event: 'inbox.schema-from-memory', eventType: key.eventType, schemaId: key.schemaId });
      } else if (own !== undefined && own.decision !== 'refused') {
        const contradiction = contradictionOf(own, answer);
        if (contradiction === undefined) use(key, parse(own.text), true);
        else await hold(key, contradiction);
      } else {
        const problem = await learn(key, answer);
        if (problem !== undefined) suspects.push({ ...key, problem, isUnknown: answer.kind === 'unknown' });
      }
    }
    return suspects;
  }

  /** Uses and remembers a new id; returns what is wrong with it instead. */
  async function learn(key: SchemaKey, answer: SchemaAnswer): Promise<string | undefined> {
    if (answer.kind === 'unknown') return `${nameOf(key)} is not known to the registry`;
    if (answer.kind === 'unusable') return `${nameOf(key)} cannot be used: ${answer.problem}`;
    const resolution = resolverOf(key, readerTypes.get(key.eventType), answer.type);
    if (resolution.kind === 'invalid') return resolution.problem;
    const schema = { ...key, fingerprint: fingerprintOf(answer.type), text: textOf(answer.type) };
    // Before its first event: an id without a memory could change its schema without a sign.
    await rememberSchema(dataSource, consumer, schema, now());
    use(key, answer.type, true);
    return undefined;
  }

  async function judge(suspects: readonly Suspect[], known: readonly KnownSchema[], decodes: Decodes): Promise<void> {
    if (suspects.length === 0) return;
    const nowMs = elapsedMs();
    const isStable = ({ isUnknown, schemaId }: Suspect): boolean =>
      !isUnknown || evidence.isStablyUnknown(schemaId, nowMs);
    const stable = suspects.some(isStable);
    const registryKnowsOurSubjects = !stable || (await registry.knowsAny(subjects));
    const lostSchemas = stable && registryKnowsOurSubjects ? await findLost(known) : [];
    for (const suspect of suspects) {
      const { eventType, problem } = suspect;
      const fault = decideSchemaFault(
        {
          isStable: isStable(suspect),
          registryKnowsOurSubjects,
          lostSchemas,
          aggregates: evidence.aggregates(suspect, nowMs),
          typeDecodes: evidence.decodesLately(eventType, nowMs) || decodes(eventType),
        },
        settings,
      );
      if (fault.kind === 'registry') await hold(suspect, `${problem}, and ${fault.because}`);
      else {
        troubles.delete(nameOf(suspect));
        if (fault.kind === 'event') set(suspect, { kind: 'invalid', problem });
        else set(suspect, { kind: 'held', reason: `${problem} so far; it is asked again` });
      }
    }
  }

  /** Which ids that the registry gave before it no longer gives as they were. */
  async function findLost(known: readonly KnownSchema[]): Promise<readonly string[]> {
    const own = known.filter(isFromRegistry);
    const answers = await ask(own.map(({ schemaId }) => schemaId));
    return own.flatMap((one) => {
      const answer = answers.get(one.schemaId);
      if (answer === undefined) return [];
      if (answer.kind === 'no-answer') throw answer.error;
      const contradiction = contradictionOf(one, answer);
      return contradiction === undefined ? [] : [contradiction];
    });
  }

  async function ask(ids: readonly number[]): Promise<ReadonlyMap<number, SchemaAnswer | NoAnswer>> {
    const answers = new Map<number, SchemaAnswer | NoAnswer>();
    const askOne = async (id: number): Promise<void> => {
      try {
        const answer = await registry.schemaOf(id);
        answers.set(id, answer);
        if (answer.kind === 'unknown') evidence.sawUnknown(id, elapsedMs());
        else evidence.sawOtherwise(id);
      } catch (error) {
        evidence.sawOtherwise(id);
        answers.set(id, { kind: 'no-answer', error });
      }
    };
    for (const some of chunks([...new Set(ids)], requestsAtOnce)) await Promise.all(some.map(askOne));
    return answers;
  }

  /** Compares an id in use with the registry as it is now. */
  async function checkUsed(one: UsedSchema, answer: SchemaAnswer, known: KnownSchema | undefined): Promise<void> {
    if (known !== undefined && known.decision !== 'registry') {
      troubles.delete(nameOf(one));
      // An operator has decided otherwise meanwhile: the next batch resolves it by that.
      if (known.decision === 'refused' || known.fingerprint !== one.fingerprint) drop(one);
      return;
    }
    const contradiction = contradictionOf(one, answer);
    if (contradiction === undefined) {
      one.isConfirmed = true;
      troubles.delete(nameOf(one));
      // Its row may have gone with a database that was restored.
      if (known === undefined) await learn(one, answer);
      return;
    }
    if (answer.kind !== 'unknown') return hold(one, contradiction);
    if (!evidence.isStablyUnknown(one.schemaId, elapsedMs())) return;
    // What this process has from the registry itself is right for the events written before the loss; it goes on.
    if (one.isConfirmed) await note(one, contradiction);
    else await hold(one, contradiction);
  }

  return {
    eventTypes: [...readerTypes.keys()],
    find: ({ eventType, schemaId }) => resolutions.get(eventType)?.get(schemaId),
    sample() {
      const [entry] = readerTypes;
      if (entry === undefined) throw new Error('this consumer knows no event type');
      const [eventType, reader] = entry;
      const key = { eventType, schemaId: sampleSchemaId };
      set(key, resolverOf(key, reader, reader));
      return { eventType, value: reader.toBuffer(reader.random()) };
    },
    decoded: (eventType) => evidence.sawDecoded(eventType, elapsedMs()),
    async resolve(uses, decodes) {
      try {
        for (const one of uses) evidence.sawEvent(one, elapsedMs());
        const keys = [...new Map(uses.map((one) => [nameOf(one), one])).values()];
        const known = await readKnownSchemas(dataSource, consumer);
        await judge(await compare(keys, known), known, decodes);
      } catch (error) {
        if (error instanceof InfrastructureError) throw error;
        throw new InfrastructureError('schema ids cannot be resolved now', { cause: error });
      } finally {
        tell();
      }
    },
    async check() {
      try {
        const known = new Map((await readKnownSchemas(dataSource, consumer)).map((one) => [nameOf(one), one]));
        const answers = await ask([...used.values()].map(({ schemaId }) => schemaId));
        for (const one of used.values()) {
          const answer = answers.get(one.schemaId);
          // A registry that is away stops nothing that was possible before.
          if (answer !== undefined && answer.kind !== 'no-answer') await checkUsed(one, answer, known.get(nameOf(one)));
        }
        tell();
      } catch (error) {
        logger.warn({ event: 'inbox.schema-check-failed', error: describeError(error).message });
      }
    },
  };
}

type Decodes = (eventType: string) => boolean;

interface NoAnswer {
  readonly kind: 'no-answer';
  readonly error: unknown;
}

interface Suspect extends SchemaKey {
  readonly problem: string;
  readonly isUnknown: boolean;
}

function isFromRegistry(known: KnownSchema): known is KnownSchema & { readonly decision: 'registry' } {
  return known.decision === 'registry';
}

function nameOf({ eventType, schemaId }: SchemaKey): string {
  return `schema id ${schemaId} of ${eventType}`;
}

function resolverOf(key: SchemaKey, reader: avsc.Type | undefined, writer: avsc.Type): Resolution {
  if (reader === undefined) return { kind: 'invalid', problem: `${nameOf(key)}: this consumer does not read the type` };
  try {
    return { kind: 'usable', reader, resolver: reader.createResolver(writer) };
  } catch (error) {
    const { message } = describeError(error);
    return { kind: 'invalid', problem: `${nameOf(key)} does not resolve with the schema of this consumer: ${message}` };
  }
}

/** How the registry contradicts what an id meant; undefined when it does not. */
export function contradictionOf(
  known: SchemaKey & { readonly fingerprint: string },
  answer: SchemaAnswer,
): string | undefined {
  const was = `its fingerprint was ${known.fingerprint}`;
  if (answer.kind === 'unknown') return `${nameOf(known)} is no longer known to the registry; ${was}`;
  if (answer.kind === 'unusable')
    return `${nameOf(known)} has changed: ${was}, now it cannot be used: ${answer.problem}`;
  const fingerprint = fingerprintOf(answer.type);
  if (fingerprint === known.fingerprint) return undefined;
  return `${nameOf(known)} has changed: ${was}, the registry now gives it the schema ${answer.type.name ?? '(no name)'}, fingerprint ${fingerprint}`;
}

function parse(schema: string): avsc.Type {
  return avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema);
}

function* chunks<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
