import type { ReaderSchema } from '@board/contracts';
import type { Alarms, Logger } from '@board/service';
import type avsc from 'avsc';
import { describeError, InfrastructureError } from '../errors.ts';
import type { InboxSettings } from '../settings.ts';
import type { KnownSchema, SchemaKey, SchemaMemory } from '../store/schema-memory.ts';
import { decideSchemaFault, schemaEvidence, trackSchemaTroubles } from './faults.ts';
import {
  askForSchemas,
  contradictionOf,
  fingerprintOf,
  nameOf,
  parseSchema,
  resolverOf,
  textOf,
  type NoAnswer,
  type RegistryClient,
  type SchemaAnswer,
  type SchemaResolution,
  type SchemaUse,
} from './schema.ts';

/**
 * Schemas by the ids that events carry. The registry says what an id means, the consumer's own
 * memory what it meant before; where they contradict each other, or what answers cannot be the real
 * registry, events wait and an alarm says why.
 */
export interface SchemaResolver {
  readonly eventTypes: readonly string[];
  find(key: SchemaKey): SchemaResolution | undefined;
  /**
   * Resolves ids before a transaction holds locks; afterwards `find` knows each. `decodes` tries
   * whether an event in hand of this type decodes. Throws InfrastructureError when the registry
   * does not answer and the memory has no answer either.
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
  /** As in `Inbox`. */
  readonly consumerFlag: string;
  readonly registry: RegistryClient;
  readonly readers: readonly ReaderSchema[];
  readonly memory: SchemaMemory;
  readonly settings: InboxSettings;
  readonly alarms: Alarms;
  readonly logger: Logger;
  /** For how long something lasts: no clock that is set changes it. */
  readonly elapsedMs: () => number;
}

interface UsedSchema extends SchemaKey {
  readonly fingerprint: string;
  /** The registry itself has confirmed it to this process. */
  isConfirmed: boolean;
}

/** An id that no registry gives, for the inbox's self-test. */
export const sampleSchemaId = -1;

export function createSchemaResolver(parts: SchemaResolverParts): SchemaResolver {
  const { registry, readers, memory, settings, logger, elapsedMs } = parts;
  const readerTypes = new Map(readers.map((one) => [one.eventType, parseSchema(one.schema)]));
  const subjects = readers.map(({ subject }) => subject);
  const resolutions = new Map<string, Map<number, SchemaResolution>>();
  const used = new Map<string, UsedSchema>();
  const troubles = trackSchemaTroubles(parts);
  const evidence = schemaEvidence(settings);

  function set({ eventType, schemaId }: SchemaKey, resolution: SchemaResolution): void {
    const ofType = resolutions.get(eventType) ?? new Map<number, SchemaResolution>();
    resolutions.set(eventType, ofType.set(schemaId, resolution));
    if (resolution.kind !== 'usable') used.delete(nameOf({ eventType, schemaId }));
    // Any producer can write such ids, so their number is bounded; a batch asks for its ids again.
    if (resolution.kind !== 'usable' && ofType.size > 10_000) ofType.clear();
  }

  function drop({ eventType, schemaId }: SchemaKey): void {
    resolutions.get(eventType)?.delete(schemaId);
    used.delete(nameOf({ eventType, schemaId }));
  }

  function use(key: SchemaKey, writer: avsc.Type, isConfirmed: boolean): void {
    set(key, resolverOf(key, readerTypes.get(key.eventType), writer));
    used.set(nameOf(key), { ...key, fingerprint: fingerprintOf(writer), isConfirmed });
    troubles.forget(key);
  }

  async function hold(key: SchemaKey, reason: string): Promise<void> {
    set(key, { kind: 'held', reason });
    await troubles.note(key, reason);
  }

  /**
   * Resolves ids by what the memory and the registry say of them; returns those that neither can
   * explain.
   */
  async function compare(
    keys: readonly SchemaKey[],
    known: readonly KnownSchema[],
  ): Promise<readonly UnconfirmedSchema[]> {
    const unconfirmed: UnconfirmedSchema[] = [];
    const stored = new Map(known.map((one) => [nameOf(one), one]));
    const open = keys.filter((key) => {
      const own = stored.get(nameOf(key));
      if (own === undefined || own.decision === 'registry') return true;
      if (own.decision === 'stored') use(key, parseSchema(own.text), true);
      else set(key, { kind: 'invalid', problem: `${nameOf(key)} is refused by an operator` });
      troubles.forget(key);
      return false;
    });
    const answers = await ask(open.map(({ schemaId }) => schemaId));
    for (const key of open) {
      const own = stored.get(nameOf(key));
      const answer = answers.get(key.schemaId) ?? { kind: 'unknown' };
      if (answer.kind === 'no-answer') {
        if (own === undefined || own.decision === 'refused') throw answer.error;
        // The registry is merely away: what it said before is as good as what it would say now.
        use(key, parseSchema(own.text), false);
        logger.warn({
          event: 'inbox.schema-from-memory',
          eventType: key.eventType,
          schemaId: key.schemaId,
        });
      } else if (own !== undefined && own.decision !== 'refused') {
        const contradiction = contradictionOf(own, answer);
        if (contradiction === undefined) use(key, parseSchema(own.text), true);
        else await hold(key, contradiction);
      } else {
        const problem = await learn(key, answer);
        if (problem !== undefined)
          unconfirmed.push({ ...key, problem, isUnknown: answer.kind === 'unknown' });
      }
    }
    return unconfirmed;
  }

  /** Uses and remembers a new id; returns what is wrong with it instead. */
  async function learn(key: SchemaKey, answer: SchemaAnswer): Promise<string | undefined> {
    if (answer.kind === 'unknown') return `${nameOf(key)} is not known to the registry`;
    if (answer.kind === 'unusable') return `${nameOf(key)} cannot be used: ${answer.problem}`;
    const resolution = resolverOf(key, readerTypes.get(key.eventType), answer.type);
    if (resolution.kind === 'invalid') return resolution.problem;
    const schema = { ...key, fingerprint: fingerprintOf(answer.type), text: textOf(answer.type) };
    // Before its first event: an id without a memory could change its schema without a sign.
    await memory.remember(schema);
    use(key, answer.type, true);
    return undefined;
  }

  /** Decides whose fault unconfirmed ids are: holds their events, or calls them invalid. */
  async function classify(
    unconfirmed: readonly UnconfirmedSchema[],
    known: readonly KnownSchema[],
    decodes: Decodes,
  ): Promise<void> {
    if (unconfirmed.length === 0) return;
    const nowMs = elapsedMs();
    const isStable = ({ isUnknown, schemaId }: UnconfirmedSchema): boolean =>
      !isUnknown || evidence.isStablyUnknown(schemaId, nowMs);
    const stable = unconfirmed.some(isStable);
    const registryKnowsOurSubjects = !stable || (await registry.knowsAny(subjects));
    const lostSchemas = stable && registryKnowsOurSubjects ? await findLost(known) : [];
    for (const one of unconfirmed) {
      const { eventType, problem } = one;
      const fault = decideSchemaFault(
        {
          isStable: isStable(one),
          registryKnowsOurSubjects,
          lostSchemas,
          aggregates: evidence.aggregates(one, nowMs),
          typeDecodes: evidence.decodesLately(eventType, nowMs) || decodes(eventType),
        },
        settings,
      );
      if (fault.kind === 'registry') await hold(one, `${problem}, and ${fault.because}`);
      else {
        troubles.forget(one);
        if (fault.kind === 'event') set(one, { kind: 'invalid', problem });
        else set(one, { kind: 'held', reason: `${problem} so far; it is asked again` });
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

  function ask(ids: readonly number[]): Promise<ReadonlyMap<number, SchemaAnswer | NoAnswer>> {
    return askForSchemas(registry, ids, (id, answer) => {
      if (answer.kind === 'unknown') evidence.sawUnknown(id, elapsedMs());
      else evidence.sawOtherwise(id);
    });
  }

  /** Compares an id in use with the registry as it is now. */
  async function checkUsed(
    one: UsedSchema,
    answer: SchemaAnswer,
    known: KnownSchema | undefined,
  ): Promise<void> {
    if (known !== undefined && known.decision !== 'registry') {
      troubles.forget(one);
      // An operator has decided otherwise meanwhile: the next batch resolves it by that.
      if (known.decision === 'refused' || known.fingerprint !== one.fingerprint) drop(one);
      return;
    }
    const contradiction = contradictionOf(one, answer);
    if (contradiction === undefined) {
      one.isConfirmed = true;
      troubles.forget(one);
      // Its row may have gone with a database that was restored.
      if (known === undefined) await learn(one, answer);
      return;
    }
    if (answer.kind !== 'unknown') return hold(one, contradiction);
    if (!evidence.isStablyUnknown(one.schemaId, elapsedMs())) return;
    // What this process has from the registry itself is right for the events written before the
    // loss; it goes on.
    if (one.isConfirmed) await troubles.note(one, contradiction);
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
        const known = await memory.read();
        await classify(await compare(keys, known), known, decodes);
      } catch (error) {
        if (error instanceof InfrastructureError) throw error;
        throw new InfrastructureError('schema ids cannot be resolved now', { cause: error });
      } finally {
        troubles.show();
      }
    },
    async check() {
      try {
        const known = new Map((await memory.read()).map((one) => [nameOf(one), one]));
        const answers = await ask([...used.values()].map(({ schemaId }) => schemaId));
        for (const one of used.values()) {
          const answer = answers.get(one.schemaId);
          // A registry that is away stops nothing that was possible before.
          if (answer !== undefined && answer.kind !== 'no-answer')
            await checkUsed(one, answer, known.get(nameOf(one)));
        }
        troubles.show();
      } catch (error) {
        logger.warn({ event: 'inbox.schema-check-failed', error: describeError(error).message });
      }
    },
  };
}

type Decodes = (eventType: string) => boolean;

/** An id that neither the memory nor the registry explains. */
interface UnconfirmedSchema extends SchemaKey {
  readonly problem: string;
  readonly isUnknown: boolean;
}

function isFromRegistry(
  known: KnownSchema,
): known is KnownSchema & { readonly decision: 'registry' } {
  return known.decision === 'registry';
}
