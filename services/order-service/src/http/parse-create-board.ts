import { Problem, type FieldError } from '@board/service-kit';
import { z } from 'zod';
import type { CreateBoard } from '../application/commands.ts';

const wants = { title: 'a text', content: 'a text', author: 'a text, or no author' } as const;

const body = z.strictObject({
  title: z.string(),
  content: z.string(),
  author: z.string().nullish(),
});

/** The command in a body or query of the right shape, whatever its texts hold; else a 422 that names the fields. */
export function parseCreateBoard(input: unknown): CreateBoard {
  const result = body.safeParse(input);
  if (!result.success) throw new Problem(422, { detail: 'No board.', errors: result.error.issues.flatMap(toFields) });
  const { title, content, author } = result.data;
  return { kind: 'create', title, content, author: author ?? null };
}

function toFields(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, 10).map((field) => ({ field: field.slice(0, 100), wants: 'not to be there' }));
  }
  const field = issue.path[0];
  if (field === undefined) return [{ field: '(body)', wants: 'a JSON object with title, content and perhaps author' }];
  return [{ field: String(field), wants: wants[field as keyof typeof wants] }];
}
