import type { Answer, Question } from '@board/service/testing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formatsPlugin from 'ajv-formats';

interface Documented {
  readonly headers?: Readonly<
    Record<string, { readonly required?: boolean; readonly schema: object }>
  >;
  readonly content?: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Record<string, Documented> }>>>
  >;
}

/**
 * Fails the test when the document does not promise the answer; gives `POST /boards 201`, or
 * undefined for what it has not.
 */
export type CheckAnswer = (question: Question, answer: Answer) => string | undefined;

/** Compares answers with an OpenAPI document: status, headers, media type and body. */
export function checkAnswers(apiDocument: object): CheckAnswer {
  const document = apiDocument as Document;
  const ajv = new Ajv2020({ strict: false });
  formatsPlugin.default(ajv);
  ajv.addSchema(document, 'api');

  return ({ method = 'GET', path }, answer) => {
    const known = Object.keys(document.paths).find((one) =>
      shapeOf(one).test(path.split('?')[0] ?? ''),
    );
    const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
    const operation = known === undefined ? undefined : document.paths[known]?.[verb];
    if (known === undefined || !operation || (method === 'HEAD' && answer.status === 405))
      return undefined;
    const name = `${method} ${known} ${answer.status}`;
    const promised = operation.responses[answer.status];
    if (!promised) throw new Error(`not documented: ${name} ${answer.text}`);

    const hold = (holds: unknown, what: string): void => {
      if (holds !== true) throw new Error(`${name}: ${what} is not as documented: ${answer.text}`);
    };
    for (const [header, { required = false, schema }] of Object.entries(promised.headers ?? {})) {
      const value = answer.headers[header.toLowerCase()];
      hold(
        value === undefined ? !required : ajv.validate(schema, value),
        `${header} ${String(value)}`,
      );
    }
    const type = answer.headers['content-type']?.split(';')[0];
    hold(type === Object.keys(promised.content ?? {})[0], `Content-Type ${type}`);
    if (type === undefined || method === 'HEAD') {
      hold(answer.text === '', 'the empty body');
      return name;
    }
    const inDocument = [
      'paths',
      known,
      verb,
      'responses',
      String(answer.status),
      'content',
      type,
      'schema',
    ];
    const pointer = inDocument
      .map((part) => encodeURIComponent(part.replaceAll('/', '~1')))
      .join('/');
    const validate = ajv.getSchema(`api#/${pointer}`);
    hold(validate?.(answer.json()), `the body (${ajv.errorsText(validate?.errors)})`);
    return name;
  };
}

function shapeOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}
