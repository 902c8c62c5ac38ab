import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';

export interface Question {
  readonly method?: string;
  readonly path: string;
  /** A list is sent as that many lines. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
  /** The body never ends. */
  readonly unfinished?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; throws when it is none. */
  json(): unknown;
}

type Callback = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Sends one real HTTP request to a server's callback through memory: no port, no socket. */
export async function ask(callback: Callback, question: Question): Promise<Answer> {
  const { method = 'GET', path, headers = {}, body, unfinished = false } = question;
  const [near, far] = duplexPair();
  const server = createServer((incoming, outgoing) => void callback(incoming, outgoing));
  server.emit('connection', far);

  const answered = Promise.withResolvers<IncomingMessage>();
  const sent = request({ method, path, headers, createConnection: () => near });
  sent.on('response', answered.resolve).on('error', answered.reject);
  if (unfinished) sent.write(body ?? ' ');
  else sent.end(body);
  const response = await answered.promise;
  const answer = await text(response);
  near.destroy();
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: answer,
    json: (): unknown => JSON.parse(answer),
  };
}

/** The same with a JSON body. */
export function askJson(
  callback: Callback,
  method: string,
  path: string,
  value: unknown,
): Promise<Answer> {
  const headers = { 'Content-Type': 'application/json' };
  return ask(callback, { method, path, headers, body: JSON.stringify(value) });
}
