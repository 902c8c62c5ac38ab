import { createHash } from 'node:crypto';
import type {
  Command as OutboxCommand,
  Decision as OutboxDecision,
  GroupCommit,
} from '@board/outbox';
import type { Violation } from '../domain/check-text.ts';
import type { Answer, CommandContext, CommandResult, HandleCommand, Refusal } from './ports.ts';

/** An event before it is encoded: its type and the fields of its Avro record. */
export interface EventToEncode {
  readonly type: string;
  readonly data: unknown;
}

/** What a command makes of an aggregate. */
export type Decision<State> =
  /** The aggregate after the change, and its event: they are stored together or not at all. */
  | { readonly kind: 'change'; readonly state: State; readonly event: EventToEncode }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** How the commands of one kind of aggregate differ from those of other kinds. */
export interface AggregateCommands<Command, State> {
  /** The outbox's `aggregatetype`, and so the name of its topic. */
  readonly aggregateType: string;
  /** The id of the aggregate that the command changes; undefined: a new aggregate. */
  readonly idOf: (command: Command) => string | undefined;
  /** Which rules the texts of a command break; checked before the database is used. */
  readonly check: (command: Command) => readonly Violation[];
  /** Estimated size of what the command writes, in bytes; must not be too small. */
  readonly bytesOf: (command: Command) => number;
  /** Events with the same key share a partition; never empty. */
  readonly partitionKeyOf: (state: State) => string;
  /** Pure: it runs again with its transaction; `id` is that of the aggregate, also a new one. */
  readonly decide: (
    command: Command,
    state: State | undefined,
    accepted: { readonly id: string; readonly now: Date },
  ) => Decision<State>;
}

/** What every kind of aggregate has. */
export interface Numbered {
  readonly id: string;
  readonly version: number;
}

/** What `handleCommand` needs of its service. */
export interface HandlerParts<State> {
  readonly commits: Pick<GroupCommit<State, Refusal>, 'commit'>;
  /**
   * An event in the registry's wire format. Throws when the event breaks its schema, and
   * UnavailableError while the schema's id is not known.
   */
  readonly encode: (event: EventToEncode) => Buffer;
  readonly now: () => Date;
  /** Must return a UUIDv7: with random keys the cost of an insert grows with the table. */
  readonly newId: () => string;
}

/** Refuses invalid texts, hands the outbox its command and reports what became of it. */
export function handleCommand<Command extends object, State extends Numbered>(
  kind: AggregateCommands<Command, State>,
  parts: HandlerParts<State>,
): HandleCommand<Command, State> {
  return async (command, context) => {
    const violations = kind.check(command);
    if (violations.length > 0) return refused({ kind: 'invalid', violations });
    let eventType = '';
    const refusal = context.findRefusal && (await context.findRefusal());
    const accepted = accept(
      kind,
      command,
      { ...context, refusal },
      parts,
      (type) => (eventType = type),
    );
    const outcome = await parts.commits.commit(accepted);
    switch (outcome.kind) {
      case 'committed': {
        const { state, answer: kept } = outcome;
        const { aggregateType } = kind;
        const { eventId } = accepted;
        const committed = {
          aggregateType,
          aggregateId: state.id,
          version: state.version,
          eventId,
          eventType,
        };
        // The kept answer is the one that is sent, now and to every repeat.
        return {
          kind: 'done',
          committed,
          answer: kept === undefined ? context.answer(state) : readAnswer(kept),
        };
      }
      case 'repeated':
        return { kind: 'repeated', answer: readAnswer(outcome.answer) };
      case 'refused':
        return refused(outcome.refusal);
      case 'key-running':
      case 'key-reused':
        return refused(outcome);
    }
  };
}

/**
 * Fixes ids and time, on acceptance; the decision is made later, under the lock of the aggregate's
 * row.
 */
function accept<Command extends object, State extends Numbered>(
  kind: AggregateCommands<Command, State>,
  command: Command,
  {
    traceparent,
    idempotencyKey,
    refusal,
    answer,
  }: CommandContext<State> & { readonly refusal: Refusal | undefined },
  { encode, now, newId }: HandlerParts<State>,
  onEvent: (type: string) => void,
): OutboxCommand<State, Refusal> {
  const occurredAt = now();
  const known = kind.idOf(command);
  const id = known ?? newId();
  const eventId = newId();
  const key = idempotencyKey === undefined ? undefined : keyOf(idempotencyKey, command);
  return {
    aggregateId: id,
    eventId,
    target: known === undefined ? 'new' : 'existing',
    bytes: kind.bytesOf(command),
    key,
    decide(current): OutboxDecision<State, Refusal> {
      if (refusal) return { kind: 'refuse', refusal };
      const decision = kind.decide(command, current, { id, now: occurredAt });
      if (decision.kind === 'refuse') return decision;
      const { state, event } = decision;
      onEvent(event.type);
      return {
        kind: 'change',
        state,
        event: {
          id: eventId,
          aggregateType: kind.aggregateType,
          aggregateId: state.id,
          version: state.version,
          partitionKey: kind.partitionKeyOf(state),
          type: event.type,
          payload: encode(event),
          traceparent,
          occurredAt,
        },
        answer: key && Buffer.from(JSON.stringify(answer(state))),
      };
    },
  };
}

function refused(refusal: Refusal): CommandResult {
  return { kind: 'refused', refusal };
}

/** Reads an answer as `accept` wrote it, in this version or an earlier one. */
function readAnswer(kept: Buffer): Answer {
  return JSON.parse(kept.toString()) as Answer;
}

/**
 * A key belongs to one command, regardless of white space and the order of its fields.
 *
 * Only fields that are given count: a later version may know more fields, and either version may
 * get the repeat.
 */
function keyOf(idempotencyKey: string, command: object) {
  const given = Object.entries(command).filter(([, value]) => value !== undefined);
  const sorted = given.toSorted(([one], [other]) => (one < other ? -1 : 1));
  return { hash: sha256(idempotencyKey), fingerprint: sha256(JSON.stringify(sorted)) };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
