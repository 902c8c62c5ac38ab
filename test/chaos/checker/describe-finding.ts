import type { Attempt, ClientOperation, InjectedFault } from '../history.ts';
import type { StoryLine, TopicRecord } from './evidence.ts';
import { place } from './check-topic.ts';
import type { BoardFile, RunIndex } from './index-run.ts';
import type { Finding } from './rule.ts';

/** How long after the last trace of a board a fault may still have to do with it. */
const aftermathMs = 30_000;

/** Everything known about a finding, in the order of time; what has no time stands last. */
export function describeFinding({ boards, history }: RunIndex, { boardId }: Finding): StoryLine[] {
  const file = boards.get(boardId ?? '');
  if (!file)
    return inOrder([
      ...history.faults.flatMap(describeFault),
      ...history.foreign.map(describeForeign),
    ]);
  const refusals = history.refusals
    .filter((one) => one.boardId === boardId)
    .map(({ version, times }) => ({
      at: null,
      text: `the handler refused version ${version} ${times} times`,
    }));
  const lines = [...describeBoard(file), ...refusals];
  const times = lines.flatMap(({ at }) => at ?? []);
  const [from, to] = [Math.min(...times), Math.max(...times) + aftermathMs];
  const faults = history.faults.filter(
    ({ begunAt, endedAt, readyAt }) => begunAt <= to && (readyAt ?? endedAt ?? to) >= from,
  );
  return inOrder([...lines, ...faults.flatMap(describeFault)]);
}

function inOrder(lines: readonly StoryLine[]): StoryLine[] {
  return lines.toSorted((a, b) => (a.at ?? Infinity) - (b.at ?? Infinity) || 0);
}

function describeBoard({
  operations,
  events,
  records,
  routed,
  deadLetters,
  ...rows
}: BoardFile): StoryLine[] {
  const { row, catalog, mark, parked, skipped } = rows;
  const state = (text: string): StoryLine => ({ at: null, text });
  return [
    ...operations.flatMap(describeOperation),
    ...events.map(({ id, type, version, occurredAt, event }) => ({
      at: Number(occurredAt) / 1_000,
      text: `outbox: ${type} ${version}, event ${id}, ${'problem' in event ? event.problem : `title "${event.title}"`}`,
    })),
    ...[...records, ...routed].map(describeRecord),
    state(
      row
        ? `board: version ${row.version}, title "${row.title}"${row.deletedAt !== null ? ', deleted' : ''}`
        : 'board: no row',
    ),
    state(
      catalog
        ? `catalog: version ${catalog.version}, title "${catalog.title}"${catalog.deletedAt !== null ? ', deleted' : ''}, ${catalog.appliedCount} applied`
        : 'catalog: no row',
    ),
    state(mark ? `mark: ${mark.version}, event ${mark.eventId}` : 'mark: none'),
    ...parked.map(({ version, eventId }) => state(`parked: version ${version}, event ${eventId}`)),
    ...skipped.map(({ version, decidedBy }) =>
      state(`skipped: version ${version}, by ${decidedBy}`),
    ),
    ...deadLetters.map(({ version, reason, error, closedBy }) =>
      state(`dead letter: version ${version}, ${reason}, ${closedBy ?? 'open'}: ${error}`),
    ),
  ];
}

function describeOperation({
  client,
  kind,
  key,
  title,
  ifVersion,
  attempts,
  outcome,
}: ClientOperation): StoryLine[] {
  const asked = `client ${client}: ${kind} ${key}${title === null ? '' : `, title "${title}"`}`;
  const demanded = ifVersion === null ? '' : `, If-Match ${ifVersion}`;
  const sent = attempts.flatMap((attempt, index) => [
    { at: attempt.sentAt, text: `${asked}${demanded}: attempt ${index + 1} sent` },
    ...(attempt.endedAt === null
      ? []
      : [{ at: attempt.endedAt, text: `${asked}: ${describeResult(attempt)}` }]),
  ]);
  const version =
    outcome.kind === 'ok' && outcome.board ? `, version ${outcome.board.version}` : '';
  const endedAt = attempts.at(-1)?.endedAt ?? null;
  return [...sent, { at: endedAt, text: `${asked}: outcome ${outcome.kind}${version}` }];
}

function describeResult({ result }: Attempt): string {
  if (result === null) return 'no result';
  return result.kind === 'failed'
    ? result.error
    : `${result.status}${result.detail === null ? '' : ` ${result.detail}`}`;
}

function describeRecord(record: TopicRecord): StoryLine {
  const { appendedAt, headers, key } = record;
  const reason = headers['inbox-reason'] ?? undefined;
  const attempts = headers['retry_topic-attempts'] ?? undefined;
  return {
    at: appendedAt,
    text:
      `${place(record)}: event ${headers['id']}, version ${headers['version']}, key ${key}` +
      (attempts === undefined ? '' : `, after attempt ${attempts}`) +
      (reason === undefined ? '' : `, dead letter: ${reason}`),
  };
}

function describeFault({
  id,
  name,
  target,
  begunAt,
  tookAt,
  endedAt,
  readyAt,
  details,
}: InjectedFault): StoryLine[] {
  const what = `fault ${id}, ${name} of ${target}`;
  return [
    { at: begunAt, text: `${what}: begun${details === '' ? '' : `, ${details}`}` },
    ...(tookAt === null ? [] : [{ at: tookAt, text: `${what}: took` }]),
    ...(endedAt === null ? [] : [{ at: endedAt, text: `${what}: ended` }]),
    ...(readyAt === null ? [] : [{ at: readyAt, text: `${what}: ready again` }]),
  ];
}

function describeForeign({
  id,
  kind,
  topic,
  sentAt,
  count,
  acknowledged,
}: RunIndex['history']['foreign'][number]): StoryLine {
  return {
    at: sentAt,
    text: `foreign ${id}: ${count} records "${kind}" to ${topic}, ${acknowledged} acknowledged`,
  };
}
