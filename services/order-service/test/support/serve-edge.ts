import {
  createHealth,
  createHttpServer,
  createLogger,
  createMetrics,
  docsRouter,
} from '@board/service';
import { ask, type Answer, type Question } from '@board/service/testing';
import type { BoardCommand } from '../../src/application/board-commands.ts';
import type { CommentCommand } from '../../src/application/comment-commands.ts';
import type {
  BoardReader,
  CommandContext,
  CommandResult,
  HandleCommand,
  Refusal,
} from '../../src/application/ports.ts';
import type { Board } from '../../src/domain/board.ts';
import type { Comment } from '../../src/domain/comment.ts';
import { apiDocument } from '../../src/http/api-document.ts';
import { boardsRouter, legacyRouter } from '../../src/http/boards-router.ts';
import { commentsRouter } from '../../src/http/comments-router.ts';
import { checkAnswers } from './check-answers.ts';

const documents = {
  on: apiDocument({ legacyCreate: true }),
  off: apiDocument({ legacyCreate: false }),
} as const;
const checks = { on: checkAnswers(documents.on), off: checkAnswers(documents.off) } as const;

const at = new Date('2026-01-02T03:04:05.678Z');

export function exampleBoard(changes: Partial<Board> = {}): Board {
  const id = '019b0000-0000-7000-8000-000000000001';
  const texts = { title: '제목 😀', content: '내용', author: 'Kim' };
  return { id, version: 1, ...texts, createdAt: at, updatedAt: at, deletedAt: null, ...changes };
}

export function exampleComment(changes: Partial<Comment> = {}): Comment {
  const id = '019b0000-0000-7000-8000-000000000002';
  const { id: boardId } = exampleBoard();
  return {
    id,
    version: 1,
    boardId,
    text: '댓글 😀',
    author: 'Lee',
    createdAt: at,
    deletedAt: null,
    ...changes,
  };
}

type HandleBoard = HandleCommand<BoardCommand, Board>;
type BoardContext = CommandContext<Board>;

export interface EdgeOptions {
  readonly handle?: HandleBoard;
  readonly handleComment?: HandleCommand<CommentCommand, Comment>;
  readonly boards?: readonly Board[];
  readonly comments?: readonly Comment[];
  readonly findComment?: (id: string) => Promise<Comment | undefined>;
  readonly reader?: Partial<BoardReader>;
  readonly legacy?: boolean;
  readonly requestDeadlineMs?: number;
  readonly bodyDeadlineMs?: number;
}

export interface Edge {
  /** Asks in memory, and compares the answer with the API document. */
  readonly ask: (question: Question) => Promise<Answer>;
  /** The same with a JSON body. */
  readonly send: (
    method: string,
    path: string,
    body: unknown,
    headers?: Question['headers'],
  ) => Promise<Answer>;
  readonly commands: readonly BoardCommand[];
  readonly contexts: readonly BoardContext[];
  readonly lines: readonly Record<string, unknown>[];
  /** `POST /boards 201`: what was asked and answered so far. */
  readonly seen: ReadonlySet<string>;
}

/** The HTTP edge over ports of the test; by default every command succeeds. */
export function serveEdge(options: EdgeOptions = {}): Edge {
  const {
    handle = succeed,
    handleComment = succeedWithComment,
    boards = [],
    comments = [],
    findComment = async (id) => comments.find((one) => one.id === id),
    reader,
    legacy = true,
    requestDeadlineMs = 5_000,
    bodyDeadlineMs = 5_000,
  } = options;
  const given: { readonly command: BoardCommand; readonly context: BoardContext }[] = [];
  const commands = {
    what: 'board',
    requestDeadlineMs,
    bodyDeadlineMs,
    handle: (command: BoardCommand, context: BoardContext) => {
      given.push({ command, context });
      return handle(command, context);
    },
  };
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const seen = new Set<string>();
  const { callback } = createHttpServer({
    logger: createLogger({ name: 'test', level: 'info', destination }),
    metrics: createMetrics('test'),
    health: createHealth(),
    routers: [
      boardsRouter(commands, { ...readFrom(boards), ...reader }),
      commentsRouter(
        { what: 'comment', requestDeadlineMs, bodyDeadlineMs, handle: handleComment },
        async (id) => {
          const board = await { ...readFrom(boards), ...reader }.find(id);
          if (board === undefined) return 'missing';
          return board.deletedAt === null ? 'live' : 'deleted';
        },
        findComment,
      ),
      ...(legacy ? [legacyRouter(commands)] : []),
      docsRouter(documents[legacy ? 'on' : 'off']),
    ],
  });
  async function askAndCheck(question: Question): Promise<Answer> {
    const answer = await ask(callback, question);
    const name = checks[legacy ? 'on' : 'off'](question, answer);
    if (name !== undefined) seen.add(name);
    return answer;
  }
  return {
    ask: askAndCheck,
    send: (method, path, body, headers = {}) =>
      askAndCheck({
        method,
        path,
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    get commands() {
      return given.map(({ command }) => command);
    },
    get contexts() {
      return given.map(({ context }) => context);
    },
    lines,
    seen,
  };
}

export function done(board: Board, { answer }: BoardContext): CommandResult {
  const { id, version } = board;
  const eventType = version === 1 ? 'BoardCreated' : 'BoardEdited';
  const committed = {
    aggregateType: 'board',
    aggregateId: id,
    version,
    eventId: 'event-1',
    eventType,
  };
  return { kind: 'done', committed, answer: answer(board) };
}

/** A command handler that refuses. */
export function refuse(refusal: Refusal): () => Promise<CommandResult> {
  return () => Promise.resolve({ kind: 'refused', refusal });
}

function succeed(command: BoardCommand, context: BoardContext): Promise<CommandResult> {
  const { kind } = command;
  if (kind === 'create') {
    const { title, content, author } = command;
    return Promise.resolve(done(exampleBoard({ title, content, author }), context));
  }
  const changes =
    kind === 'edit'
      ? { title: command.title ?? '제목 😀', content: command.content ?? '내용' }
      : {};
  return Promise.resolve(
    done(exampleBoard({ id: command.boardId, version: 2, ...changes }), context),
  );
}

/** A handler of a comment's commands that refuses what `findRefusal` finds, else succeeds. */
async function succeedWithComment(
  command: CommentCommand,
  { findRefusal, answer }: CommandContext<Comment>,
): Promise<CommandResult> {
  const refusal = await findRefusal?.();
  if (refusal) return { kind: 'refused', refusal };
  const comment =
    command.kind === 'add-comment'
      ? exampleComment({ ...command })
      : exampleComment({ version: 2 });
  const { id, version } = comment;
  const eventType = command.kind === 'add-comment' ? 'CommentAdded' : 'CommentRemoved';
  const committed = {
    aggregateType: 'comment',
    aggregateId: id,
    version,
    eventId: 'event-1',
    eventType,
  };
  return { kind: 'done', committed, answer: answer(comment) };
}

function readFrom(boards: readonly Board[]): BoardReader {
  return {
    find: async (id) => boards.find((one) => one.id === id),
    list: async ({ before = '~', limit }) => {
      const found = boards
        .filter((one) => one.id < before && !one.deletedAt)
        .toSorted((one, other) => (one.id < other.id ? 1 : -1));
      const page = found.slice(0, limit);
      return { boards: page, next: found.length > limit ? (page.at(-1)?.id ?? null) : null };
    },
  };
}
