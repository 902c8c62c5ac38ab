export {
  createOutageAlarm,
  waitForDependency,
  type OutageAlarm,
  type Waiting,
} from './health/dependency.ts';
export { askHttp, endWhenSilent, type NeededServer } from './health/end-when-silent.ts';
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
export { readJsonBody } from './http/read-json-body.ts';
export { readRequest, requestFields } from './http/read-request.ts';
export { createHealth, docsRouter, type Health } from './http/service-routers.ts';
export {
  backoffMs,
  createBackoff,
  retryUntilReady,
  type Backoff,
  type BackoffPolicy,
} from './process/backoff.ts';
export { ConfigError, configFields, readConfig } from './process/config.ts';
export { MissingValueError, must, UnavailableError } from './process/errors.ts';
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
export {
  createElapsedClock,
  startDeadline,
  withinDeadline,
  type Deadline,
  type ElapsedClock,
} from './process/time-limits.ts';
export { printable } from './process/printable.ts';
export {
  identifyProcess,
  isRunning,
  parseStat,
  signalProcess,
  type ProcessIdentity,
} from './process/process-identity.ts';
