import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { answerPlainly } from './answer-plainly.ts';
import { Problem } from './problem.ts';

export type HandleRequest = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

interface Line {
  isBusy: boolean;
  readonly waiting: (() => void)[];
}

/**
 * Handles the requests of a connection one after the other, each when the answer before it is out.
 *
 * Node would begin all that a client pipelines at once, a thousand in one packet, and hold every answer in memory until it
 * is read. So too, what a client sent before it hung up is not begun any more.
 */
export function handleInTurn(handle: HandleRequest, waitingRequests: number): HandleRequest {
  const lines = new WeakMap<Socket, Line>();

  function begin(line: Line, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    line.isBusy = true;
    response.once('close', () => {
      line.isBusy = false;
      if (socket.writable) line.waiting.shift()?.();
    });
    return handle(request, response);
  }

  return async (request, response) => {
    const { socket } = request;
    const line = lines.get(socket) ?? { isBusy: false, waiting: [] };
    lines.set(socket, line);
    if (!line.isBusy) {
      await begin(line, request, response);
    } else if (line.waiting.length < waitingRequests) {
      line.waiting.push(() => void begin(line, request, response));
    } else {
      const detail = `${waitingRequests} requests of this connection wait already; this one was not begun.`;
      const headers = { Connection: 'close', 'Retry-After': '1' };
      answerPlainly(response, new Problem(503, { detail, headers }));
    }
  };
}
