import * as z from 'zod';
import { ConnectError, connectRequest, type RequestSettings } from './connect-request.ts';
import { hideSecrets, type ConnectorDefinition } from './connector-definition.ts';

const state = z.enum([
  'UNASSIGNED',
  'RUNNING',
  'PAUSED',
  'STOPPED',
  'FAILED',
  'RESTARTING',
  'DESTROYED',
]);

const connectorStatus = z.object({
  name: z.string(),
  connector: z.object({ state, worker_id: z.string(), trace: z.string().optional() }),
  tasks: z.array(
    z.object({ id: z.number(), state, worker_id: z.string(), trace: z.string().optional() }),
  ),
});

export type ConnectorStatus = z.infer<typeof connectorStatus>;

const connectorOffsets = z.object({
  offsets: z.array(
    z.object({
      partition: z.record(z.string(), z.unknown()),
      offset: z
        .looseObject({
          gtids: z.string().optional(),
          file: z.string().optional(),
          pos: z.number().optional(),
          /** Present while a snapshot is under way. */
          snapshot: z.union([z.string(), z.boolean()]).optional(),
        })
        .nullable(),
    }),
  ),
});

export type ConnectorOffsets = z.infer<typeof connectorOffsets>['offsets'];

const validation = z.object({
  configs: z.array(
    z.object({ value: z.object({ name: z.string(), errors: z.array(z.string()) }).nullable() }),
  ),
});

const connectorConfig = z
  .object({ name: z.string(), 'connector.class': z.string() })
  .catchall(z.string());

/**
 * Kafka Connect's REST API, as far as this pipeline uses it. Reading a connector that is not
 * registered gives undefined; every method throws while Connect starts, and a `ConnectError` when
 * Connect refuses.
 */
export interface ConnectApi {
  /** The names of all registered connectors, sorted. */
  listNames(): Promise<readonly string[]>;
  /** The classes of the connectors that the worker has installed, sorted. */
  listPlugins(): Promise<readonly string[]>;
  getConfig(name: string): Promise<ConnectorDefinition | undefined>;
  putConfig(config: Readonly<Record<string, string>> & { readonly name: string }): Promise<void>;
  /**
   * What is wrong with a definition, as `key: reason`; Debezium also tries to reach MySQL with it.
   */
  validate(definition: ConnectorDefinition): Promise<readonly string[]>;
  getStatus(name: string): Promise<ConnectorStatus | undefined>;
  getOffsets(name: string): Promise<ConnectorOffsets | undefined>;
  /** Forgets how far the connector has come; it must be stopped. */
  deleteOffsets(name: string): Promise<void>;
  stop(name: string): Promise<void>;
  pause(name: string): Promise<void>;
  resume(name: string): Promise<void>;
  /** Restarts only what has failed. */
  restartFailed(name: string): Promise<void>;
  /** Restarts the connector and its task, whatever their states say. */
  restart(name: string): Promise<void>;
  /** Deletes the connector; its offsets and topics stay. */
  remove(name: string): Promise<void>;
}

/** As long as Connect itself waits: a request that is given up sooner may still be carried out. */
const deleteOffsetsMs = 90_000;

const defaults: RequestSettings = { timeoutMs: 30_000, rebalanceMs: 30_000 };

/** Opens the API of the Connect worker at `connectUrl`. */
export function connectApi(
  connectUrl: string,
  settings: Partial<RequestSettings> = {},
): ConnectApi {
  const request = connectRequest(connectUrl, { ...defaults, ...settings });
  const pathOf = (name: string): string => `/connectors/${encodeURIComponent(name)}`;

  return {
    async listNames() {
      return z
        .array(z.string())
        .parse(await request('GET', '/connectors'))
        .toSorted();
    },
    async listPlugins() {
      const plugins = z.array(z.object({ class: z.string() }));
      const answer = plugins.parse(await request('GET', '/connector-plugins'));
      return answer.map((plugin) => plugin.class).toSorted();
    },
    async getConfig(name) {
      const answer = await found(request('GET', `${pathOf(name)}/config`));
      return answer === undefined ? undefined : connectorConfig.parse(answer);
    },
    async putConfig(config) {
      try {
        await request('PUT', `${pathOf(config.name)}/config`, config);
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        throw new ConnectError(error.status, hideSecrets(error.message, config));
      }
    },
    async validate(definition) {
      const plugin = encodeURIComponent(definition['connector.class']);
      const answer = await request(
        'PUT',
        `/connector-plugins/${plugin}/config/validate`,
        definition,
      );
      return validation
        .parse(answer)
        .configs.flatMap(
          ({ value }) => value?.errors.map((error) => `${value.name}: ${error}`) ?? [],
        );
    },
    async getStatus(name) {
      const answer = await found(request('GET', `${pathOf(name)}/status`));
      if (answer !== undefined) return connectorStatus.parse(answer);
      // Only its configuration says whether it is registered, and Connect answers that only after
      // it has read its topics.
      const config = await found(request('GET', `${pathOf(name)}/config`));
      return config === undefined
        ? undefined
        : { name, connector: { state: 'UNASSIGNED', worker_id: '?' }, tasks: [] };
    },
    async getOffsets(name) {
      const answer = await found(request('GET', `${pathOf(name)}/offsets`));
      return answer === undefined ? undefined : connectorOffsets.parse(answer).offsets;
    },
    async deleteOffsets(name) {
      await request('DELETE', `${pathOf(name)}/offsets`, undefined, deleteOffsetsMs);
    },
    async stop(name) {
      await request('PUT', `${pathOf(name)}/stop`);
    },
    async pause(name) {
      await request('PUT', `${pathOf(name)}/pause`);
    },
    async resume(name) {
      await request('PUT', `${pathOf(name)}/resume`);
    },
    async restartFailed(name) {
      await request('POST', `${pathOf(name)}/restart?includeTasks=true&onlyFailed=true`);
    },
    async restart(name) {
      await request('POST', `${pathOf(name)}/restart?includeTasks=true&onlyFailed=false`);
    },
    async remove(name) {
      await request('DELETE', pathOf(name));
    },
  };
}

/** Undefined instead of a 404. */
async function found(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ConnectError && error.status === 404) return undefined;
    throw error;
  }
}
