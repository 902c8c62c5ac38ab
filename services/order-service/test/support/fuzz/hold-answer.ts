import type { Answer } from '@board/service/testing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { checkAnswers } from '../check-answers.ts';
import type { Api } from './api.ts';
import type { Sent } from './to-bytes.ts';

/** Throws when the service must not give this answer, to this request or to any. */
export type HoldAnswer = (answer: Answer, sent?: Sent, isFit?: boolean) => void;

// What a request may meet that is right in itself: boards that are gone, other versions, keys that
// were used.
const fitStatuses = new Set([200, 201, 204, 304, 404, 409, 410, 412, 422, 503]);

export function holdAnswers(api: Api): HoldAnswer {
  const check = checkAnswers(api);
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema(api, 'api');

  /** What was accepted is what the document allows, and is stored as it was sent. */
  function holdAccepted({ method, target, body }: Sent, answer: Answer): void {
    if (!['POST', 'PATCH'].includes(method) || answer.status >= 300) return;
    const path = pathOf(api, target).replaceAll('/', '~1');
    const schema = `api#/paths/${encodeURIComponent(path)}/${method.toLowerCase()}/requestBody/content/application~1json/schema`;
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as Record<
      string,
      unknown
    >;
    if (!ajv.validate(schema, value)) throw new Error(`accepted, but ${ajv.errorsText()}`);
    if ('idempotency-replayed' in answer.headers) return;
    const told = answer.json() as Record<string, unknown>;
    for (const [field, text] of Object.entries(value))
      if (told[field] !== text)
        throw new Error(`sent ${field} ${String(text)}, told ${String(told[field])}`);
  }

  return (answer, sent, isFit = false) => {
    holdAlone(answer, sent?.method);
    // Without a request id it comes from the server itself, which has not understood the request.
    if (!sent || answer.headers['x-request-id'] === undefined) return;
    const { method, target } = sent;
    const name = check({ method, path: target }, answer);
    if (name === undefined) return;
    holdAccepted(sent, answer);
    const isRefusedKey =
      answer.status !== 422 || answer.text.includes('was used for another request');
    if (isFit && !(fitStatuses.has(answer.status) && isRefusedKey))
      throw new Error(`refused, but nothing is wrong with it: ${answer.status} ${answer.text}`);
  };
}

/** The path of the document that a target is of. */
function pathOf(api: Api, target: string): string {
  const asked = target.split('?')[0] ?? '';
  const shape = (path: string): RegExp => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
  return Object.keys(api.paths).find((path) => shape(path).test(asked)) ?? asked;
}

function holdAlone({ status, headers, text, json }: Answer, method = ''): void {
  const isUnavailable = status === 503 && headers['retry-after'] !== undefined;
  if (status >= 500 && !isUnavailable) throw new Error(`status ${status}`);
  if (status < 400 || method === 'HEAD') return;
  const problem =
    headers['content-type'] === 'application/problem+json' && (json() as { status: number });
  if (!problem || problem.status !== status)
    throw new Error(`${status} is no problem: ${text.slice(0, 200)}`);
}
