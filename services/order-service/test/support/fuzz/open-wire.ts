import { once } from 'node:events';
import { connect } from 'node:net';
import { startDeadline } from '@board/service';
import type { Answer } from '@board/service/testing';
import { takeAnswer } from './take-answer.ts';

/** A connection that sends whatever bytes it is given. */
export interface Wire {
  /**
   * Says of the answers to come which are to HEAD: they have no body, whatever length they state.
   */
  readonly send: (bytes: Buffer, ...methods: string[]) => void;
  /**
   * The next answer, undefined when the server closes the connection instead; throws when neither
   * comes in time.
   */
  readonly nextAnswer: () => Promise<Answer | undefined>;
  /** Nothing more will be sent. */
  readonly end: () => void;
  readonly hangUp: () => void;
  readonly isOpen: () => boolean;
}

const patienceMs = 30_000;

export async function openWire(port: number): Promise<Wire> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  await once(socket, 'connect');
  const methods: string[] = [];
  let chunks: Buffer[] = [];
  let isOver = false;
  let news = Promise.withResolvers<void>();
  const tell = (): void => {
    news.resolve();
    news = Promise.withResolvers();
  };
  const end = (): void => {
    isOver = true;
    tell();
  };
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    tell();
  });
  // A reset is one of the ways to close a connection.
  socket
    .on('error', () => undefined)
    .on('end', end)
    .on('close', end);

  function take(): Answer | undefined {
    for (;;) {
      const taken = takeAnswer(Buffer.concat(chunks), methods[0] === 'HEAD');
      if (!taken) return undefined;
      chunks = [taken.rest];
      // 100 Continue announces the answer, and is none.
      if (taken.answer.status < 200) continue;
      methods.shift();
      return taken.answer;
    }
  }

  async function nextAnswer(): Promise<Answer | undefined> {
    const deadline = startDeadline(
      patienceMs,
      () => new Error(`no answer within ${patienceMs} ms`),
    );
    try {
      for (;;) {
        const answer = take();
        if (answer || isOver) return answer;
        await deadline.wait(news.promise);
      }
    } finally {
      deadline.end();
    }
  }

  return {
    send(bytes, ...of) {
      methods.push(...of);
      socket.write(bytes);
    },
    nextAnswer,
    end: () => void socket.end(),
    hangUp: () => void socket.destroy(),
    isOpen: () => !isOver && socket.writable,
  };
}
