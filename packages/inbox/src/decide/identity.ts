import { headerNames } from '@board/contracts';
import { headerText, type RecordHeaders } from '../record.ts';

/** The aggregate of the records with which the inbox tries itself: no event may carry it. */
export const probeAggregateId = 'inbox-probe';

/** Which event of which aggregate a record carries. */
export interface Identity {
  readonly eventId: string;
  readonly aggregateId: string;
  /** 1..2^32-1, contiguous within the aggregate. */
  readonly version: number;
}

export interface NoIdentity {
  /** What is wrong with the headers, in one sentence. */
  readonly problem: string;
}

const maxVersion = 2 ** 32 - 1;
const maxAggregateIdLength = 64;
const maxEventIdLength = 36;

/** Visible ASCII only: what the key columns can hold without changing it. */
const visibleAscii = /^[\x21-\x7e]+$/;

/**
 * Reads a record's identity from its headers; what does not fit the mark's columns is no identity,
 * because a shortened id would be another aggregate's mark.
 */
export function identify(headers: RecordHeaders, reservedId: string | null = probeAggregateId): Identity | NoIdentity {
  if (headers.problem !== undefined) return { problem: headers.problem };
  const eventId = headerText(headers, headerNames.eventId);
  const aggregateId = headerText(headers, headerNames.aggregateId);
  const version = headerText(headers, headerNames.version);
  if (!fits(eventId, maxEventIdLength))
    return unusable(headerNames.eventId, eventId, `1-${maxEventIdLength} visible ASCII characters`);
  if (!fits(aggregateId, maxAggregateIdLength))
    return unusable(headerNames.aggregateId, aggregateId, `1-${maxAggregateIdLength} visible ASCII characters`);
  if (aggregateId === reservedId) return { problem: `the aggregate id ${reservedId} is reserved` };
  if (version === undefined || !/^[1-9]\d{0,9}$/.test(version) || Number(version) > maxVersion)
    return unusable(headerNames.version, version, `a whole number from 1 to ${maxVersion}`);
  return { eventId, aggregateId, version: Number(version) };
}

function fits(text: string | undefined, maxLength: number): text is string {
  return text !== undefined && text.length <= maxLength && visibleAscii.test(text);
}

function unusable(name: string, got: string | undefined, wants: string): NoIdentity {
  const shown = got === undefined ? 'missing or repeated' : JSON.stringify(got.slice(0, 100));
  return { problem: `header ${name} is ${shown}, must be ${wants}` };
}
