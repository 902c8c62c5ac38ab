import type Router from '@koa/router';
import type { DefaultContext, Middleware, ParameterizedContext } from 'koa';
import type { Logger } from '../create-logger.ts';

/** What the server knows of a request before a route sees it. */
export interface RequestState {
  requestId: string;
  /** W3C trace context: the client's, or a new one. */
  traceparent: string;
  receivedAt: Date;
  /** Writes the request id and the trace id on every line. */
  logger: Logger;
}

export type ServiceRouter = Router<RequestState>;
export type ServiceMiddleware = Middleware<RequestState>;
export type ServiceContext = ParameterizedContext<RequestState, DefaultContext>;
