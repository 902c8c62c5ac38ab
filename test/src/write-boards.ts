import { randomUUIDv7 } from 'node:crypto';
import { boardTopic, eventSchemas, type BoardEventType } from '@board/contracts';
import { openConnection } from '@board/mysql';
import { createRegistryClient, frame } from '@board/registry';
import avsc from 'avsc';
import type { StackAddresses } from './stack-addresses.ts';

export interface BoardWriter {
  /**
   * Commits new boards with their events, all in one transaction, in order-service's schema; returns
   * their ids.
   */
  create(count: number): Promise<string[]>;
  /** Commits one more version of each board with its event. */
  edit(ids: readonly string[]): Promise<void>;
  /** Deletes softly, with the event. */
  remove(ids: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

interface BoardRow {
  readonly id: string;
  readonly version: number;
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deletedAt: Date | null;
}

/**
 * Writes board and outbox rows past order-service, faster than over HTTP and with edits and
 * deletes.
 */
export async function openBoardWriter(stack: StackAddresses): Promise<BoardWriter> {
  const { host, port, rootPassword: password } = stack.mysql;
  const database = await openConnection({
    host,
    port,
    user: 'root',
    password,
    database: 'order_service',
    timezone: 'Z',
  });
  const codecs = new Map(
    await Promise.all(
      eventSchemas.map(async (schema) => [schema.eventType, await codecOf(stack, schema)] as const),
    ),
  );

  async function write(type: BoardEventType, boards: readonly BoardRow[]): Promise<void> {
    const encode = codecs.get(type);
    if (!encode || boards.length === 0) return;
    const occurredAt = new Date();
    await database.beginTransaction();
    await database.query(
      `INSERT INTO board (id, version, title, content, author, created_at, updated_at, deleted_at) VALUES ? AS changed
       ON DUPLICATE KEY UPDATE version = changed.version, title = changed.title, updated_at = changed.updated_at, deleted_at = changed.deleted_at`,
      [
        boards.map((one) => [
          one.id,
          one.version,
          one.title,
          one.content,
          one.author,
          one.createdAt,
          one.updatedAt,
          one.deletedAt,
        ]),
      ],
    );
    await database.query(
      'INSERT INTO outbox (id, aggregatetype, aggregateid, version, partition_key, type, payload, occurred_at) VALUES ?',
      [
        boards.map((one) => [
          randomUUIDv7(),
          boardTopic.name,
          one.id,
          one.version,
          one.author ?? one.id,
          type,
          encode(one),
          occurredAt,
        ]),
      ],
    );
    await database.commit();
  }

  async function read(ids: readonly string[]): Promise<BoardRow[]> {
    const [rows] = await database.query(
      'SELECT id, version, title, content, author, created_at AS createdAt, updated_at AS updatedAt, deleted_at AS deletedAt FROM board WHERE id IN (?)',
      [ids],
    );
    return rows as BoardRow[];
  }

  return {
    async create(count) {
      const now = new Date();
      const boards = Array.from({ length: count }, (_, n) => {
        const id = randomUUIDv7();
        return {
          id,
          version: 1,
          title: `글 ${n}`,
          content: '',
          author: null,
          createdAt: now,
          updatedAt: now,
          deletedAt: null,
        };
      });
      await write('BoardCreated', boards);
      return boards.map(({ id }) => id);
    },
    async edit(ids) {
      const boards = await read(ids);
      await write(
        'BoardEdited',
        boards.map((one) => ({
          ...one,
          version: one.version + 1,
          title: `${one.title}!`,
          updatedAt: new Date(),
        })),
      );
    },
    async remove(ids) {
      const boards = await read(ids);
      const now = new Date();
      await write(
        'BoardDeleted',
        boards.map((one) => ({ ...one, version: one.version + 1, updatedAt: now, deletedAt: now })),
      );
    },
    close: () => database.end(),
  };
}

async function codecOf(
  { registryUrl }: StackAddresses,
  { subject, schema }: { subject: string; schema: string },
): Promise<(board: BoardRow) => Buffer> {
  const { json } = await createRegistryClient(registryUrl, { timeoutMs: 10_000 }).findSchema(
    subject,
    schema,
  );
  const { id } = json as { id?: number };
  if (id === undefined) throw new Error(`the registry does not know ${subject}`);
  const type = avsc.Type.forSchema(JSON.parse(schema) as avsc.Schema);
  return (board) =>
    frame(
      id,
      type.toBuffer({
        ...board,
        createdAt: board.createdAt.getTime(),
        updatedAt: board.updatedAt.getTime(),
        deletedAt: board.deletedAt?.getTime(),
      }),
    );
}
