import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerPlainly, Problem } from './problem.ts';

type HandleRequest = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

interface Line {
  running?: IncomingMessage | undefined;
  readonly waiting: (() => void)[];
  isBroken: boolean;
}

/** Handles the requests of each connection one after the other. */
export interface InTurn {
  readonly handle: HandleRequest;
  /**
   * Nothing more can be read from the connection. True when requests that were understood are still
   * to be answered: the connection is closed after them, and until then an answer to what was not
   * understood would be taken for theirs.
   */
  readonly breakOff: (socket: object) => boolean;
}

/**
 * Handles the requests of a connection one after the other, each when the answer before it is out.
 *
 * Node would begin all that a client pipelines at once, a thousand in one packet, and hold every
 * answer in memory until it is read. So too, what a client sent before it hung up is not begun any
 * more.
 */
export function handleInTurn(handle: HandleRequest, waitingRequests: number): InTurn {
  const lines = new WeakMap<object, Line>();

  function begin(line: Line, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    line.running = request;
    response.once('close', () => {
      line.running = undefined;
      if (!socket.writable) return;
      const next = line.waiting.shift();
      if (next) next();
      else if (line.isBroken) socket.end();
    });
    return handle(request, response);
  }

  async function handleNext(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const line = lines.get(socket) ?? { waiting: [], isBroken: false };
    lines.set(socket, line);
    if (!line.running) {
      await begin(line, request, response);
    } else if (line.waiting.length < waitingRequests) {
      line.waiting.push(() => void begin(line, request, response));
    } else {
      const detail = `${waitingRequests} requests of this connection wait already; this one was not begun.`;
      const headers = { Connection: 'close', 'Retry-After': '1' };
      answerPlainly(response, new Problem(503, { detail, headers }));
    }
  }

  function breakOff(socket: object): boolean {
    const line = lines.get(socket);
    // A request that is not complete is the one that was not understood.
    if (!line?.running?.complete) return false;
    line.isBroken = true;
    return true;
  }

  return { handle: handleNext, breakOff };
}
