import type { Server } from 'node:http';

/** Requests that run when closing begins may take this long. */
const finishMs = 8_000;

/** Stops accepting, lets running requests finish, closes idle connections, and cuts what is left after a while. */
export async function closeServer(server: Server): Promise<void> {
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), finishMs);
  await closed.promise;
  clearInterval(idle);
  clearTimeout(cut);
}
