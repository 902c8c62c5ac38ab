import type { Answer } from '@board/service/testing';
import { expect } from 'vitest';

/** A problem of this status that names these fields and what each must be. */
export function expectProblem(answer: Answer, status: number, fields: readonly string[]): void {
  expect(answer.headers['content-type']).toContain('application/problem+json');
  const problem = answer.json() as { status: number; errors?: { field: string; wants: string }[] };
  const named = (problem.errors ?? []).map(({ field }) => field);
  expect([answer.status, problem.status, named]).toEqual([status, status, fields]);
  for (const { wants } of problem.errors ?? []) expect(wants).toMatch(/\w{2}/);
}
