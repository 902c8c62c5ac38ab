import { Registry, collectDefaultMetrics } from 'prom-client';

/** The metrics of one service instance: a registry of its own, so that two of them can live in one test. */
export function createMetrics(instance: string): Registry {
  const registry = new Registry();
  // Prometheus itself owns the label `instance`.
  registry.setDefaultLabels({ service_instance: instance });
  collectDefaultMetrics({ register: registry });
  return registry;
}
