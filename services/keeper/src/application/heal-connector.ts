import { explainFailure, judgeStatus, type ConnectApi } from '@board/connectors';
import type { Alarms, Logger } from '@board/service-kit';
import { beginHealing, decideHeal, type ConnectorHealth, type HealSettings } from '../domain/decide-heal.ts';
import type { Job } from './job.ts';
import type { KeeperMetrics } from './keeper-metrics.ts';

export interface Healing {
  readonly connect: Pick<ConnectApi, 'getStatus' | 'restartFailed'>;
  readonly connector: string;
  readonly everyMs: number;
  readonly alarms: Alarms;
  readonly logger: Logger;
  readonly metrics: Pick<KeeperMetrics, 'connector' | 'restarted'>;
  /** Time that this process has really had, for differences only. */
  readonly now: () => number;
  readonly settings?: HealSettings;
}

/** Restarts a connector or task that has failed, which Connect never does by itself. */
export function healConnector(healing: Healing): Job {
  const { connect, connector, everyMs, alarms, logger, metrics, now, settings } = healing;
  const alarm = 'connector';
  let state = beginHealing(now());

  return {
    name: 'heal',
    everyMs,
    async run() {
      const status = await connect.getStatus(connector);
      const health = status === undefined ? ({ kind: 'missing' } as const) : judgeStatus(status);
      const decision = decideHeal(state, explained(health), now(), settings);
      state = decision.state;
      metrics.connector(health.kind === 'running');
      if (decision.alarm === undefined) alarms.clear(alarm);
      else alarms.raise(alarm, decision.alarm);
      if (!decision.restart) return;
      const trace = health.kind === 'failed' ? health.trace : '';
      logger.warn({ event: 'connector.restarting', connector, restarts: state.restarts, trace });
      metrics.restarted();
      await connect.restartFailed(connector);
    },
  };
}

/** A cause with a recipe is told by the recipe's name, not by Java's. */
function explained(health: ConnectorHealth): ConnectorHealth {
  if (health.kind !== 'failed') return health;
  return { ...health, trace: explainFailure(health.trace) ?? health.trace };
}
