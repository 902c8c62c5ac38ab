import { Problem } from '@board/service';
import type { Refusal } from '../application/commands.ts';
import { versionEtag } from './tokens.ts';

/** What a client is told whose command was refused; `what` is what it calls the aggregate. */
export function toProblem(what: string, refusal: Refusal): Problem {
  switch (refusal.kind) {
    case 'invalid':
      return new Problem(422, { detail: `The ${what} breaks a rule.`, errors: refusal.violations });
    case 'missing':
      return new Problem(404, { detail: `There is no ${refusal.what ?? what} with this id.` });
    case 'deleted':
      return new Problem(410, { detail: `This ${refusal.what ?? what} was deleted.` });
    case 'stale':
      return new Problem(412, {
        detail: `The ${what} is at version ${refusal.version}, which If-Match does not name.`,
        headers: { ETag: versionEtag.of(refusal.version) },
      });
    case 'conflict':
      return new Problem(409, { detail: refusal.detail });
    case 'key-running':
      return new Problem(409, {
        detail: 'A request with this Idempotency-Key is still running; ask again for its answer.',
        headers: { 'Retry-After': '1' },
      });
    case 'key-reused':
      return new Problem(422, {
        detail: 'This Idempotency-Key was used for another request.',
        errors: [{ field: 'Idempotency-Key', wants: 'a new key for a new request' }],
      });
  }
}
