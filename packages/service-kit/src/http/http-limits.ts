/** What one client may take of a server, in time and in number. */
export interface HttpLimits {
  /** For the whole head of a request, from the connection or from the last answer's end. */
  readonly headMs: number;
  /** For the whole request. */
  readonly requestMs: number;
  /** Between an answer and the next request. */
  readonly keepAliveMs: number;
  /** Without a byte in either direction: a client that does not read its answer. */
  readonly silenceMs: number;
  /** How often the first two are looked at. */
  readonly lookEveryMs: number;
  /** Connections beyond are closed as soon as they are made. */
  readonly connections: number;
  /** Requests that one connection may have sent ahead of the answers. */
  readonly waitingRequests: number;
}

export const defaultHttpLimits: HttpLimits = {
  headMs: 10_000,
  requestMs: 30_000,
  // Longer than balancers keep an unused connection (60 s, mostly): a request must not meet one that we are closing.
  keepAliveMs: 75_000,
  silenceMs: 30_000,
  // Node's own 30 s would let a head take 40.
  lookEveryMs: 1_000,
  connections: 10_000,
  waitingRequests: 32,
};
