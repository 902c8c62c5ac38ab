import { eventSchemas, type BoardEvent } from '@board/contracts';
import { createEventEncoder } from '../registry/create-event-encoder.ts';
import type { OwnLimits } from './own-limits.ts';

/** Size of the largest event that a board within the limits can have, encoded as it is stored. */
export function largestEventBytes({ titleCodePoints, contentBytes, authorCodePoints }: OwnLimits): number {
  const encoder = createEventEncoder(eventSchemas);
  // An id takes four bytes, whichever it is.
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
