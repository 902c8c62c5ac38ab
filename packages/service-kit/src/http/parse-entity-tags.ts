interface EntityTag {
  readonly weak: boolean;
  /** What stands between the quotes. */
  readonly value: string;
}

/** What If-Match and If-None-Match hold. */
export type EntityTags = '*' | readonly EntityTag[];

/** One tag, what may stand before it, and the comma or the end after it. Every part is linear: no input makes it slow. */
const next = /[ \t,]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,|$)/y;

/** The tags of an If-Match or If-None-Match header (RFC 9110), `*`, or undefined when it is neither. */
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
