import type { Alarms, Logger } from '@board/service-kit';
import type { DataSource } from 'typeorm';
import type { Turns } from './apply/create-turns.ts';
import type { SchemaFailures } from './apply/schema-failures.ts';
import type { Controls } from './consume/controls.ts';
import type { Consumer } from './consumer.ts';
import type { Decoder } from './decode.ts';
import type { DecodedEvent, Handler } from './handler.ts';
import type { InboxMetrics } from './metrics.ts';
import type { FloodGuard } from './route/flood-guard.ts';
import type { RoutePublisher } from './route/publish.ts';
import type { InboxSettings } from './settings.ts';

/** Everything that applying needs; made once per process. */
export interface Inbox<E extends DecodedEvent> {
  readonly consumer: Consumer;
  readonly dataSource: DataSource;
  readonly decoder: Decoder<E>;
  readonly handler: Handler<E>;
  readonly publisher: RoutePublisher;
  readonly guard: FloodGuard;
  readonly schemaFailures: SchemaFailures;
  readonly controls: Controls;
  readonly settings: InboxSettings;
  readonly logger: Logger;
  readonly metrics: InboxMetrics;
  readonly alarms: Alarms;
  /** By aggregate: whose turn it is to drain it. */
  readonly drainTurns: Turns;
  /** Events to pass over in their turn, because they were skipped before a rebuild. */
  readonly skippedAhead: ReadonlySet<string>;
  /** Milliseconds since the epoch, for what is stored and shown; a clock that may be set at any time. */
  readonly now: () => number;
  /** Time that this process has really had, for waits and limits. */
  readonly elapsedMs: () => number;
}
