import assert from 'node:assert/strict';
import { boardTopic, eventSchemas, type BoardEvent } from '@board/contracts';
import { ServerSettingsError, type Database } from '@board/mysql';
import { defaultCommitLimits, payloadLimitBytes } from '@board/outbox';
import { boardLimits } from './domain/board.ts';
import { commentLimits } from './domain/comment.ts';
import { bodyLimitBytes } from './http/requests.ts';
import { createEventEncoder } from './registry/event-encoder.ts';

/* Whether a board or a comment has room at each step from the request to the topic. */

/** The limit of each step, taken from the code or the table that enforces it. */
export const ownLimits = {
  ...boardLimits,
  bodyBytes: bodyLimitBytes,
  titleColumnCodePoints: 200,
  authorColumnCodePoints: 100,
  contentColumnBytes: 2 ** 24 - 1,
  commentTextBytes: commentLimits.textBytes,
  commentTextColumnBytes: 2 ** 16 - 1,
  payloadBytes: payloadLimitBytes,
  messageBytes: Number(boardTopic.config['max.message.bytes']),
  batchRows: defaultCommitLimits.batchRows,
  batchBytes: defaultCommitLimits.batchBytes,
};

type OwnLimits = Readonly<Record<keyof typeof ownLimits, number>>;

/** Something whose largest size must fit into a limit. */
interface Fit {
  readonly what: string;
  readonly takes: number;
  readonly into: string;
  readonly room: number;
}

/** Describes each fit that does not hold. */
export function findMisfits(fits: readonly Fit[]): string[] {
  return (
    fits
      // Not `takes > room`: a limit that is NaN has no room.
      .filter(({ takes, room }) => !(takes <= room))
      .map(
        ({ what, takes, into, room }) => `${what} may take ${takes}, ${into} has room for ${room}`,
      )
  );
}

/** Throws when limits of this program and its contracts contradict each other. */
export function assertOwnLimits(limits: OwnLimits = ownLimits): void {
  const misfits = findMisfits(ownFits(limits));
  if (misfits.length > 0)
    throw new Error(`The limits contradict each other: ${misfits.join('; ')}.`);
}

/** Ids, times, version and lengths of an event, and the registry's header. */
const eventFrameBytes = 1_024;

/** Key (255 characters of four bytes), headers, and what Kafka adds to a record and its batch. */
const recordFrameBytes = 4_096;

/** Names of the fields, quotes and commas of a request's JSON. */
const jsonFrameBytes = 256;

/**
 * A board within the limits must have room at each step from the request to the topic, and so must
 * any text that a request can hold.
 */
function ownFits(limits: OwnLimits): readonly Fit[] {
  const { titleCodePoints, contentBytes, authorCodePoints, bodyBytes, payloadBytes, messageBytes } =
    limits;
  // A byte of content is at most six bytes of JSON (`\u0041`); a character beyond the first plane
  // is twelve.
  const largestJson = contentBytes * 6 + (titleCodePoints + authorCodePoints) * 12 + jsonFrameBytes;
  return [
    {
      what: 'the title, in characters,',
      takes: titleCodePoints,
      into: 'its column',
      room: limits.titleColumnCodePoints,
    },
    {
      what: 'the author, in characters,',
      takes: authorCodePoints,
      into: 'its column',
      room: limits.authorColumnCodePoints,
    },
    {
      what: 'the text of a comment',
      takes: limits.commentTextBytes,
      into: 'its column',
      room: limits.commentTextColumnBytes,
    },
    {
      what: 'the text of a comment',
      takes: limits.commentTextBytes,
      into: "a board's content, which has room all the way",
      room: contentBytes,
    },
    {
      what: 'a board in JSON, every character escaped,',
      takes: largestJson,
      into: 'the body limit',
      room: bodyBytes,
    },
    {
      what: 'the text of a request',
      takes: bodyBytes,
      into: 'the content column',
      room: limits.contentColumnBytes,
    },
    {
      what: 'the event with the text of a request',
      takes: bodyBytes + eventFrameBytes,
      into: 'an outbox payload',
      room: payloadBytes,
    },
    {
      what: 'the event of a board at every limit',
      takes: largestEventBytes(limits),
      into: 'an outbox payload',
      room: payloadBytes,
    },
    {
      what: 'the record of the largest payload',
      takes: payloadBytes + recordFrameBytes,
      into: 'max.message.bytes of the topic',
      room: messageBytes,
    },
  ];
}

/** Size in bytes of the largest event of a board within the limits, encoded as it is stored. */
export function largestEventBytes({
  titleCodePoints,
  contentBytes,
  authorCodePoints,
}: OwnLimits): number {
  const encoder = createEventEncoder(eventSchemas);
  // Every id takes four bytes.
  encoder.useIds(new Map(eventSchemas.map(({ subject }) => [subject, 0])));
  // The last time that a Date can hold.
  const latest = 8_640_000_000_000_000;
  const data = {
    id: 'x'.repeat(36),
    version: 2 ** 31 - 1,
    title: '🎉'.repeat(titleCodePoints),
    content: 'x'.repeat(contentBytes),
    author: '🎉'.repeat(authorCodePoints),
    createdAt: latest,
    updatedAt: latest,
  };
  const events: readonly BoardEvent[] = [
    { type: 'BoardCreated', data },
    { type: 'BoardEdited', data },
    { type: 'BoardDeleted', data: { ...data, deletedAt: latest } },
  ];
  return Math.max(...events.map((event) => encoder.encode(event).length));
}

/**
 * Throws ServerSettingsError when the server's limits are below what this service may send at once.
 */
export async function assertServerLimits(database: Database): Promise<void> {
  const [row]: readonly { packet: string | number; cache: string | number }[] = await database.read(
    (manager) =>
      manager.query(
        'SELECT @@max_allowed_packet AS packet, @@global.max_binlog_cache_size AS cache',
      ),
  );
  assert(row, 'a statement without a table always has one row');
  const server = { maxAllowedPacket: Number(row.packet), maxBinlogCacheSize: Number(row.cache) };
  const misfits = findMisfits(serverFits(ownLimits, server));
  if (misfits.length === 0) return;
  throw new ServerSettingsError(
    `MySQL's settings are too small for order-service, raise them: ${misfits.join('; ')}`,
  );
}

/** Settings of the MySQL server, in bytes. */
interface ServerLimits {
  readonly maxAllowedPacket: number;
  readonly maxBinlogCacheSize: number;
}

/**
 * A control character is `\\u0001` in a kept answer, whose body is JSON within JSON: seven bytes.
 */
const keptAnswerBytesPerByte = 7;

/**
 * The kept answers are the longest statement of a transaction; it has each byte as two hex digits.
 */
const statementBytesPerByte = keptAnswerBytesPerByte * 2;

/** The row of the board before and after the change, the payload and the kept answer. */
const transactionBytesPerByte = 2 + 1 + keptAnswerBytesPerByte;

/** Author, ids, times and headers of a row, in bytes. */
const rowFrameBytes = 4_096;

/**
 * The fullest shared transaction must have room in the server: otherwise it fails, and its members
 * run one by one.
 */
export function serverFits(
  { batchRows, batchBytes }: OwnLimits,
  { maxAllowedPacket, maxBinlogCacheSize }: ServerLimits,
): readonly Fit[] {
  const frames = batchRows * rowFrameBytes;
  return [
    {
      what: 'a statement of the fullest shared transaction',
      takes: batchBytes * statementBytesPerByte + frames,
      into: 'max_allowed_packet of MySQL',
      room: maxAllowedPacket,
    },
    {
      what: 'the fullest shared transaction',
      takes: batchBytes * transactionBytesPerByte + frames,
      into: 'max_binlog_cache_size of MySQL',
      room: maxBinlogCacheSize,
    },
  ];
}
