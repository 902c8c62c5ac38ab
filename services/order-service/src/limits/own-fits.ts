import type { Fit } from './fit.ts';
import { largestEventBytes } from './largest-event.ts';
import type { OwnLimits } from './own-limits.ts';

/** Ids, times, version and lengths of an event, and the registry's header. */
const eventFrameBytes = 1_024;

/** Key (255 characters at four bytes), headers, and what Kafka puts around a record and its batch. */
const recordFrameBytes = 4_096;

/** Names of the fields, quotes and commas of a request's JSON. */
const jsonFrameBytes = 256;

/** A board within the limits has room all the way from the request to the topic, and so has whatever a request can hold. */
export function ownFits(limits: OwnLimits): readonly Fit[] {
  const { titleCodePoints, contentBytes, authorCodePoints, bodyBytes, payloadBytes, messageBytes } = limits;
  // A byte of content at its longest is `\u0041`; a character beyond the first plane is two of those.
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
    { what: 'a board in JSON, every character escaped,', takes: largestJson, into: 'the body limit', room: bodyBytes },
    { what: 'the text of a request', takes: bodyBytes, into: 'the content column', room: limits.contentColumnBytes },
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
