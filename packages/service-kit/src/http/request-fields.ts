import { z } from 'zod';
import { parseEntityTags } from './parse-entity-tags.ts';

/** Fields of requests that services share; the error message of each says what it wants. */
export const requestFields = {
  /** A text that `parse` turns into something; undefined from it means that the text does not fit. */
  parsed,

  /** In lower case, however it came. */
  uuid: () =>
    z
      .string({ error: 'a UUID' })
      .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a UUID')
      .toLowerCase(),

  /** How many entries a page has at most. */
  limit: ({ preset, max }: { readonly preset: number; readonly max: number }) =>
    parsed(`a number from 1 to ${max}`, (text) => {
      const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
      return limit >= 1 && limit <= max ? limit : undefined;
    }).default(preset),

  /** If-Match and If-None-Match. */
  entityTags: () => parsed('entity tags in double quotes with commas between, or *', parseEntityTags).optional(),
} as const;

function parsed<Value>(wants: string, parse: (text: string) => Value | undefined) {
  return z.string({ error: wants }).transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: wants });
    return z.NEVER;
  });
}
