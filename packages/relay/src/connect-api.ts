import {
  connectorConfig,
  connectorOffsets,
  connectorStatus,
  validation,
  type ConnectorOffsets,
  type ConnectorStatus,
} from './connect-answers.ts';
import { ConnectError } from './connect-error.ts';
import { connectRequest, type RequestSettings } from './connect-request.ts';
import type { ConnectorDefinition } from './connector-definition.ts';

/**
 * Kafka Connect's REST API, as far as this pipeline uses it; what is not there is undefined. Throws
 * while Connect starts.
 */
export interface ConnectApi {
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

/** As long as Connect itself waits for it: given up sooner it may be done all the same. */
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
    async getConfig(name) {
      const answer = await found(request('GET', `${pathOf(name)}/config`));
      return answer === undefined ? undefined : connectorConfig.parse(answer);
    },
    async putConfig(config) {
      await request('PUT', `${pathOf(config.name)}/config`, config);
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
      // Only its configuration says whether it is registered, and Connect answers for that when it
      // has read its topics.
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

/** Asks for what may not be there. */
async function found(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ConnectError && error.status === 404) return undefined;
    throw error;
  }
}
