export {
  askHttp,
  createOutageAlarm,
  endWhenSilent,
  waitForDependency,
  type NeededServer,
  type OutageAlarm,
  type Waiting,
} from './health/dependency.ts';
export type { Alarm, Alarms, Readiness, ReadinessState } from './health/health.ts';
export {
  createHttpServer,
  type HttpServer,
  type HttpServerOptions,
} from './http/create-http-server.ts';
export { answerWithEtag, parseEntityTags, type EntityTags } from './http/entity-tags.ts';
export type {
  RequestState,
  ServiceContext,
  ServiceMiddleware,
  ServiceRouter,
} from './http/observe-requests.ts';
export { answerInTime, Problem, type FieldError, type ProblemOptions } from './http/problem.ts';
export { readJsonBody, readRequest, requestFields } from './http/read-request.ts';
export { createHealth, docsRouter, type Health } from './http/service-routers.ts';
export { ConfigError, configFields, readConfig } from './process/config.ts';
export { MissingValueError, must, printable, UnavailableError } from './process/errors.ts';
export {
  identifyProcess,
  isRunning,
  parseStat,
  signalProcess,
  type ProcessIdentity,
} from './process/process-identity.ts';
export { failpoint } from './process/failpoint.ts';
export {
  createScope,
  guardEventLoop,
  runService,
  runTask,
  type Running,
  type Scope,
} from './process/run-service.ts';
export { createLogger, createMetrics, reasonOf, type Logger } from './process/telemetry.ts';
export { backoffMs, createBackoff, type Backoff, type BackoffPolicy } from './process/backoff.ts';
export {
  createElapsedClock,
  retryUntilReady,
  startDeadline,
  withinDeadline,
  type Deadline,
  type ElapsedClock,
} from './process/waits.ts';
