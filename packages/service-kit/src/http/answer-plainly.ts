import type { ServerResponse } from 'node:http';
import type { Problem } from './problem.ts';

/** Answers a request that reaches no route. */
export function answerPlainly(response: ServerResponse, problem: Problem): void {
  const body = JSON.stringify(problem);
  response.writeHead(problem.status, {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    ...problem.headers,
  });
  response.end(body);
}
