import type { ServiceContext } from './observe-requests.ts';

interface EntityTag {
  readonly weak: boolean;
  /** What stands between the quotes. */
  readonly value: string;
}

/** What If-Match and If-None-Match hold. */
export type EntityTags = '*' | readonly EntityTag[];

/**
 * One tag, what may stand before it, and the comma or the end after it. Every part is linear: no
 * input makes it slow.
 */
const next = /[ \t,]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,|$)/y;

/**
 * The tags of an If-Match or If-None-Match header (RFC 9110), `*`, or undefined when it is neither.
 */
export function parseEntityTags(header: string): EntityTags | undefined {
  const text = header.trim();
  if (text === '*') return '*';
  const tags: EntityTag[] = [];
  let position = 0;
  while (position < text.length) {
    next.lastIndex = position;
    const found = next.exec(text);
    if (!found) return /^[ \t,]*$/.test(text.slice(position)) && tags.length > 0 ? tags : undefined;
    tags.push({ weak: found[1] !== undefined, value: found[2] ?? '' });
    position = next.lastIndex;
  }
  return tags.length > 0 ? tags : undefined;
}

/** A body with its entity tag; `body` is called only when it is sent. */
export interface Tagged {
  /** With its quotes. */
  readonly etag: string;
  /** The request's If-None-Match. */
  readonly ifNoneMatch: EntityTags | undefined;
  readonly body: () => unknown;
}

/**
 * 304 when the client has the body already, else the body; caches may keep it, but must ask each
 * time.
 */
export function answerWithEtag(ctx: ServiceContext, { etag, ifNoneMatch, body }: Tagged): void {
  ctx.set({ ETag: etag, 'Cache-Control': 'no-cache' });
  if (isKnown(etag, ifNoneMatch)) ctx.status = 304;
  else ctx.body = body();
}

/** Compares weakly, as RFC 9110 prescribes for If-None-Match. */
function isKnown(etag: string, ifNoneMatch: EntityTags | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch === '*' || ifNoneMatch.some(({ value }) => `"${value}"` === etag);
}
