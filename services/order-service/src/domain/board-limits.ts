/** Lengths in code points, as MySQL counts characters; the content in bytes of UTF-8. */
export const boardLimits = {
  titleCodePoints: 200,
  contentBytes: 65_536,
  authorCodePoints: 100,
} as const;
