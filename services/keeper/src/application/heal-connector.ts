import {
  classifyFailure,
  explainFailure,
  classifyStatus,
  rebuildPosition,
  type ConnectApi,
  type Health,
} from '@board/relay';
import type { Alarms, Logger } from '@board/service';
import {
  beginHealing,
  decideHeal,
  type ConnectorHealth,
  type HealSettings,
} from '../domain/decide-restart.ts';
import type { KeeperMetrics } from './keeper-metrics.ts';
import type { Job } from './run-jobs.ts';

export interface Healing {
  readonly connect: Pick<
    ConnectApi,
    'getStatus' | 'restartFailed' | 'stop' | 'deleteOffsets' | 'resume'
  >;
  readonly connector: string;
  readonly everyMs: number;
  readonly alarms: Alarms;
  readonly logger: Logger;
  readonly metrics: Pick<KeeperMetrics, 'connector' | 'restarted'>;
  /** Time that this process has really had, for differences only. */
  readonly now: () => number;
  readonly settings?: HealSettings;
}

/**
 * Restarts a connector or task that has failed, which Connect never does by itself, and rebuilds
 * its position where that is the only way.
 */
export function healConnector(healing: Healing): Job {
  const { connect, connector, everyMs, alarms, logger, metrics, now, settings } = healing;
  const alarm = 'connector';
  let state = beginHealing(now());

  async function rebuild(): Promise<void> {
    try {
      await rebuildPosition(connect, connector);
    } catch (error) {
      // It was not rebuilt: the next failure must try again.
      state = { ...state, rebuilt: false };
      throw error;
    }
  }

  return {
    name: 'heal',
    everyMs,
    async run() {
      const status = await connect.getStatus(connector);
      const health: ConnectorHealth =
        status === undefined ? { kind: 'missing' } : explainHealth(classifyStatus(status));
      const decision = decideHeal(state, health, now(), settings);
      state = decision.state;
      metrics.connector(health.kind === 'running');
      if (decision.alarm === undefined) alarms.clear(alarm);
      else alarms.raise(alarm, decision.alarm);
      if (decision.action === 'none') return;
      const trace = health.kind === 'failed' ? health.trace : '';
      logger.warn({
        event: `connector.${decision.action}`,
        connector,
        restarts: state.restarts,
        trace,
      });
      metrics.restarted();
      if (decision.action === 'restart') await connect.restartFailed(connector);
      else await rebuild();
    },
  };
}

/** Adds the explanation of a cause that has a recipe. */
function explainHealth(health: Health): ConnectorHealth {
  if (health.kind !== 'failed') return health;
  const explanation = explainFailure(health.trace);
  const hasStaleHistory = classifyFailure(health.trace)?.kind === 'stale-history';
  return { ...health, hasStaleHistory, ...(explanation !== undefined && { explanation }) };
}
