import type { EntityTags } from '@board/service-kit';

/** A board's version is its ETag. */
export const boardEtag = {
  of(version: number): string {
    return `"${version}"`;
  },

  /**
   * The versions that an If-Match allows, undefined for any.
   *
   * Compared strongly, as RFC 9110 wants it: a weak tag matches nothing, no more than one that is not ours.
   */
  versions(ifMatch: EntityTags | undefined): readonly number[] | undefined {
    if (ifMatch === undefined || ifMatch === '*') return undefined;
    return ifMatch.filter(({ weak, value }) => !weak && /^[1-9]\d{0,9}$/.test(value)).map(({ value }) => Number(value));
  },
} as const;
