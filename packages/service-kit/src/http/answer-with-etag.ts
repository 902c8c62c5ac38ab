import type { EntityTags } from './parse-entity-tags.ts';
import type { ServiceContext } from './service-router.ts';

export interface Tagged {
  /** With its quotes. */
  readonly etag: string;
  /** The request's If-None-Match. */
  readonly ifNoneMatch: EntityTags | undefined;
  readonly body: () => unknown;
}

/** 304 when the client has the body already, else the body; caches may keep it, but must ask each time. */
export function answerWithEtag(ctx: ServiceContext, { etag, ifNoneMatch, body }: Tagged): void {
  ctx.set({ ETag: etag, 'Cache-Control': 'no-cache' });
  if (isKnown(etag, ifNoneMatch)) ctx.status = 304;
  else ctx.body = body();
}

/** Compared weakly, as RFC 9110 wants it for If-None-Match. */
function isKnown(etag: string, ifNoneMatch: EntityTags | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch === '*' || ifNoneMatch.some(({ value }) => `"${value}"` === etag);
}
