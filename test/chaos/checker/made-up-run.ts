import type { AnsweredBoard, ClientOperation, History, Outcome } from '../history.ts';
import type { BoardState, Evidence, OutboxRow, TopicRecord } from './evidence.ts';
import { dayOf } from './check-catalog.ts';
import {
  answered,
  conclude,
  deadLetterHeaders,
  failed,
  must,
  partitionOf,
  sha256,
  type MadeUpRun,
  type Mutable,
  type Step,
} from './made-up-parts.ts';

interface Board {
  readonly id: string;
  readonly events: OutboxRow[];
  state: BoardState;
  isKnown: boolean;
}

const attemptsAllowed = 4;
const startedAt = 1_795_000_000_000;
const killed = {
  begunAt: startedAt,
  tookAt: startedAt + 1,
  endedAt: startedAt + 1,
  readyAt: startedAt + 20_000,
};
const sourceTopic = 'board';
const retryTopic = 'catalog-service.retry.1';
const dlqTopic = 'catalog-service.dlq';

/**
 * A run in which everything went as it must: what its clients wrote down, and what was found
 * afterwards.
 */
export function makeUpRun(steps: readonly Step[]): MadeUpRun {
  const boards: Board[] = [];
  const ends = new Map<string, number>();
  let now = startedAt;
  const history: Mutable<History> = {
    run: {
      seed: 1,
      startedAt,
      titlePrefix: 'chaos 1 ',
      alone: true,
      attempts: attemptsAllowed,
      quiescence: { lastFaultEndedAt: 0, quietAt: 0, allowedMs: 90_000, failedMs: 12_000 },
    },
    operations: [],
    faults: [{ id: 1, name: 'kill', target: 'mysql', ...killed, details: '' }],
    foreign: [],
    refusals: [],
  };
  const evidence: Mutable<Evidence> = {
    readAt: 0,
    boards: [],
    outbox: [],
    catalog: [],
    marks: [{ boardId: 'inbox-probe', version: 3, eventId: 'probe-3' }],
    parked: [],
    skipped: [],
    deadLetters: [],
    source: [],
    retries: [],
    dlq: [],
    groups: [],
    createdPerDay: {},
  };
  for (const step of steps) {
    now += 10;
    if (step.kind === 'foreign') inject(step);
    else command(step);
  }
  consume();
  const { quiescence } = history.run;
  if (quiescence) Object.assign(quiescence, { lastFaultEndedAt: now, quietAt: now + 5_000 });
  evidence.readAt = now + 6_000;
  for (const topic of [sourceTopic, retryTopic])
    for (const partition of [0, 1, 2]) {
      const end = ends.get(`${topic} ${partition}`) ?? 0;
      const group = topic === sourceTopic ? 'catalog-service' : 'catalog-service.retry';
      evidence.groups.push({ group, topic, partition, committed: end === 0 ? null : end, end });
    }
  return { history, evidence };

  function command(step: Exclude<Step, { kind: 'foreign' }>): void {
    const number = history.operations.length + 1;
    const known = boards.filter(({ isKnown }) => isKnown);
    const target = known[step.board % Math.max(1, known.length)];
    const kind = target === undefined ? 'create' : step.kind;
    const current = kind === 'create' ? undefined : target?.state;
    const ifVersion =
      current === undefined || step.ifMatch === 'none'
        ? null
        : step.ifMatch === 'current'
          ? current.version
          : current.version - 1;
    const operation: Mutable<ClientOperation> = {
      key: `key-${number}`,
      client: number % 12,
      kind,
      boardId: current?.id ?? null,
      title: kind === 'delete' ? null : `chaos 1 글 ${number}`,
      content: kind === 'create' || (kind === 'edit' && step.hasContent) ? `내용 ${number}` : null,
      author: kind === 'create' ? step.author : null,
      ifVersion,
      attempts: [],
      isAbandoned: step.answer.startsWith('unknown') || step.answer === 'not done',
      outcome: { kind: 'unknown' },
    };
    history.operations.push(operation);
    const [sentAt, endedAt] = [now - step.slack[0], now + step.slack[1]];
    const refusal =
      (current?.deletedAt ?? null) !== null
        ? 410
        : ifVersion !== null && ifVersion !== current?.version
          ? 412
          : null;
    if (step.answer === 'unknown, not done')
      return conclude(operation, [failed(sentAt, endedAt)], { kind: 'unknown' });
    if (step.answer === 'not done')
      return conclude(operation, [failed(sentAt, sentAt, 'ECONNREFUSED')], {
        kind: 'refused',
        status: null,
      });
    if (refusal !== null)
      return conclude(operation, [answered(sentAt, endedAt, refusal)], {
        kind: 'refused',
        status: refusal,
      });

    const board =
      kind === 'create' || target === undefined
        ? open(operation, number)
        : change(target, operation);
    for (let copy = 0; copy <= step.way.copies; copy += 1) ship(board);
    refuse(board, step.way.refusals);
    const isAnswered =
      step.answer === 'ok' || step.answer === 'repeated' || step.answer === 'doubled';
    if (!isAnswered) return conclude(operation, [failed(sentAt, endedAt)], { kind: 'unknown' });
    board.isKnown = true;
    const status = kind === 'create' ? 201 : kind === 'edit' ? 200 : 204;
    const { deletedAt: _, ...body } = board.state;
    const outcome: Outcome = {
      kind: 'ok',
      board: kind === 'delete' ? null : (body satisfies AnsweredBoard),
    };
    if (step.answer === 'ok')
      return conclude(operation, [answered(sentAt, endedAt, status)], outcome);
    if (step.answer === 'doubled')
      return conclude(
        operation,
        [answered(sentAt, endedAt, status), answered(endedAt, endedAt + 2, status)],
        outcome,
      );
    return conclude(
      operation,
      [failed(sentAt, now + 1), answered(now + 2, endedAt + 2, status)],
      outcome,
    );
  }

  function open({ title, content, author }: ClientOperation, number: number): Board {
    const id = `board-${number}`;
    const times = { createdAt: now, updatedAt: now, deletedAt: null };
    const state = { id, version: 1, title: title ?? '', content: content ?? '', author, ...times };
    const board: Board = { id, events: [], state, isKnown: false };
    boards.push(board);
    return emit(board, 'BoardCreated');
  }

  function change(board: Board, { kind, title, content }: ClientOperation): Board {
    const { state } = board;
    const version = state.version + 1;
    board.state =
      kind === 'delete'
        ? { ...state, version, updatedAt: now, deletedAt: now }
        : {
            ...state,
            version,
            updatedAt: now,
            title: title ?? '',
            content: content ?? state.content,
          };
    return emit(board, kind === 'delete' ? 'BoardDeleted' : 'BoardEdited');
  }

  function emit(board: Board, type: string): Board {
    const { id, version, author } = board.state;
    const eventId = `event-${evidence.outbox.length + 1}`;
    const row: OutboxRow = {
      id: eventId,
      boardId: id,
      version,
      partitionKey: author ?? id,
      type,
      topic: sourceTopic,
      occurredAt: String(now * 1_000),
      traceparent: version % 2 === 0 ? `00-${eventId}-01` : null,
      digest: sha256(eventId),
      event: board.state,
    };
    board.events.push(row);
    evidence.outbox.push({ ...row, event: { ...board.state } });
    return board;
  }

  function ship({ events }: Board): void {
    const row = must(events.at(-1));
    const { id, type: eventType, boardId: aggregateId, version, occurredAt, traceparent } = row;
    append(evidence.source, sourceTopic, partitionOf(row.partitionKey), {
      key: row.partitionKey,
      digest: row.digest,
      headers: { id, eventType, aggregateId, version: String(version), occurredAt, traceparent },
    });
  }

  function refuse({ events }: Board, times: number): void {
    if (times === 0) return;
    const row = must(events.at(-1));
    history.refusals.push({ boardId: row.boardId, version: row.version, times });
  }

  /**
   * Applies what was shipped, in order; what was refused too often is a dead letter, and its
   * followers are parked.
   */
  function consume(): void {
    for (const { id, events, state } of boards) {
      evidence.boards.push({ ...state });
      const isDead = ({ version }: OutboxRow): boolean =>
        history.refusals.some(
          (one) => one.boardId === id && one.version === version && one.times >= attemptsAllowed,
        );
      const dead = events.findIndex(isDead);
      const applied = dead === -1 ? events : events.slice(0, dead);
      for (const { boardId, version, times } of history.refusals.filter(
        (one) => one.boardId === id,
      ))
        for (let attempt = 1; attempt <= Math.min(times, attemptsAllowed - 1); attempt += 1)
          if (dead === -1 || version <= dead + 1)
            route(evidence.retries, retryTopic, boardId, version, String(attempt));
      const last = applied.at(-1);
      evidence.marks.push({ boardId: id, version: applied.length, eventId: last?.id ?? '' });
      if (last && !('problem' in last.event)) {
        const day = dayOf(last.event.createdAt);
        evidence.createdPerDay[day] = (evidence.createdPerDay[day] ?? 0) + 1;
        evidence.catalog.push({ ...last.event, appliedCount: applied.length });
      }
      if (dead === -1) continue;
      const { version, id: eventId } = must(events[dead]);
      // A follower is never tried while its predecessor is a dead letter.
      history.refusals = history.refusals.filter(
        (one) => one.boardId !== id || one.version <= version,
      );
      const origin = route(evidence.dlq, dlqTopic, id, version);
      evidence.deadLetters.push({
        boardId: id,
        version,
        eventId,
        reason: 'attempts-exhausted',
        error: 'refused on purpose',
        topic: sourceTopic,
        partition: origin.partition,
        offset: origin.offset,
        lastOffset: origin.offset,
        closedBy: null,
      });
      for (const event of events.slice(dead + 1))
        evidence.parked.push({ boardId: id, version: event.version, eventId: event.id });
    }
  }

  /**
   * Puts an event's record into a retry topic or the DLQ; returns the record in the source topic.
   */
  function route(
    to: Mutable<TopicRecord>[],
    topic: string,
    boardId: string,
    version: number,
    attempts?: string,
  ) {
    const isOf = ({ headers }: TopicRecord): boolean =>
      headers['aggregateId'] === boardId && headers['version'] === String(version);
    const source = must(evidence.source.find(isOf));
    const { key, digest, headers } = source;
    const gained =
      attempts === undefined ? deadLetterHeaders(source) : { 'retry_topic-attempts': attempts };
    append(to, topic, source.partition, { key, digest, headers: { ...headers, ...gained } });
    return source;
  }

  function inject({ count, to, isBatch }: Extract<Step, { kind: 'foreign' }>): void {
    const id = history.foreign.length + 1;
    const topic = { source: sourceTopic, retry: retryTopic, dlq: dlqTopic }[to];
    const list = { source: evidence.source, retry: evidence.retries, dlq: evidence.dlq }[to];
    history.foreign.push({
      id,
      kind: 'lz4',
      topic,
      sentAt: now,
      count,
      acknowledged: Math.max(0, count - (id % 2)),
    });
    const partition = id % 3;
    const from = ends.get(`${topic} ${partition}`) ?? 0;
    for (let n = 0; n < count; n += 1)
      append(list, topic, partition, {
        key: null,
        digest: sha256(`foreign ${n}`),
        headers: {},
        foreignId: id,
      });
    if (to === 'dlq') return;
    const to1 = from + count - 1;
    for (let offset = from; offset <= to1; offset += isBatch ? count : 1) {
      const origin = { topic, partition, offset };
      evidence.deadLetters.push({
        boardId: null,
        version: null,
        eventId: null,
        reason: isBatch ? 'unprocessable' : 'no-identity',
        error: 'no id',
        ...origin,
        lastOffset: isBatch ? to1 : offset,
        closedBy: null,
      });
      append(evidence.dlq, dlqTopic, partition, {
        key: null,
        digest: null,
        headers: deadLetterHeaders(origin),
        foreignId: isBatch ? null : id,
      });
    }
  }

  function append(
    list: Mutable<TopicRecord>[],
    topic: string,
    partition: number,
    {
      key,
      digest,
      headers,
      foreignId = null,
    }: Partial<TopicRecord> & Pick<TopicRecord, 'key' | 'digest' | 'headers'>,
  ): void {
    const offset = ends.get(`${topic} ${partition}`) ?? 0;
    ends.set(`${topic} ${partition}`, offset + 1);
    list.push({
      topic,
      partition,
      offset,
      appendedAt: now + 3,
      key,
      digest,
      headers: { ...headers },
      foreignId,
    });
  }
}
