import { aggregates } from '@board/contracts';
import { must } from '@board/service';
import boardOutboxJson from '../../../connectors/board-outbox.json' with { type: 'json' };

/** The keys and values of a connector, complete or not. */
export type ConnectorConfig = Readonly<Record<string, string>>;

/** A connector's whole configuration, the body of `PUT /connectors/<name>/config`. */
export type ConnectorDefinition = ConnectorConfig & {
  readonly name: string;
  readonly 'connector.class': string;
};

/** The pipeline's one connector. */
export const boardOutbox: ConnectorDefinition = boardOutboxJson;

export interface ConnectorChanges {
  /** Also the `topic.prefix`, and so the start of the names of its own topics. */
  readonly name: string;
  readonly database: string;
  /** Must differ from every other replica's and connector's on the MySQL server. */
  readonly serverId: number;
  /** Where all rows go; without it, where their `aggregatetype` says. */
  readonly topic?: string;
  /** Single keys to set on top. */
  readonly config?: ConnectorConfig;
}

const ddlFilter = 'internal.schema.history.internal.ddl.filter';

/** Defines a connector like `board-outbox` for the outbox table of another database. */
export function defineConnector(changes: ConnectorChanges): ConnectorDefinition {
  const { name, database, serverId, topic, config } = changes;
  return {
    ...boardOutbox,
    name,
    'topic.prefix': name,
    'database.server.id': String(serverId),
    'database.include.list': database,
    'table.include.list': `${database}.outbox`,
    'schema.history.internal.kafka.topic': `${name}.schema-history`,
    [ddlFilter]: (boardOutbox[ddlFilter] ?? '').replaceAll('order_service', database),
    ...(topic !== undefined && { 'transforms.outbox.route.topic.replacement': topic }),
    ...config,
  };
}

export interface ConnectorTopics {
  /** One for each kind of aggregate, unless all rows go to one. */
  readonly events: readonly string[];
  readonly heartbeat: string;
  readonly schemaHistory: string;
}

/** Names the topics that a connector of Debezium writes. */
export function connectorTopics(definition: ConnectorDefinition): ConnectorTopics {
  const prefix = must(definition['topic.prefix'], 'topic.prefix');
  const heartbeat = definition['topic.heartbeat.prefix'] ?? '__debezium-heartbeat';
  return {
    events: [...new Set(aggregates.map(({ type }) => eventTopic(definition, type)))],
    heartbeat: `${heartbeat}.${prefix}`,
    schemaHistory: definition['schema.history.internal.kafka.topic'] ?? `${prefix}.schema-history`,
  };
}

/**
 * Whether records show that a connector ships: it is one of Debezium's (only those have a
 * `topic.prefix`) and sends heartbeats. Of any other, RUNNING is all that Connect can say.
 */
export function sendsHeartbeats(definition: ConnectorDefinition): boolean {
  return (
    definition['topic.prefix'] !== undefined && Number(definition['heartbeat.interval.ms'] ?? 0) > 0
  );
}

/** Where the Event Router sends the events of a kind of aggregate. */
export function eventTopic(definition: ConnectorDefinition, aggregateType: string): string {
  const route = definition['transforms.outbox.route.topic.replacement'] ?? '${routedByValue}';
  return route.replace('${routedByValue}', aggregateType);
}

/** Lists the changes from the running configuration to the wanted one, a line for each key. */
export function compareConfig(running: ConnectorConfig, wanted: ConnectorConfig): string[] {
  const keys = [...new Set([...Object.keys(running), ...Object.keys(wanted)])].sort();
  return keys.flatMap((key) => {
    const before = running[key];
    const after = wanted[key];
    if (before === after) return [];
    if (before === undefined) return [`+ ${key} = ${formatValue(key, after)}`];
    if (after === undefined) return [`- ${key} = ${formatValue(key, before)}`];
    return [`~ ${key}: ${formatValue(key, before)} -> ${formatValue(key, after)}`];
  });
}

const secretKey =
  /pass|pwd|secret|token|credential|jaas|private.?key|keystore[.]key|access[.]key|auth[.]user[.]info|api.?key|connection[.](url|string)/i;

/** A whole value that Connect reads from somewhere else. */
const reference = /^\$\{[^{}]*\}$/;

const isSecret = (key: string, value: string | undefined): value is string =>
  value !== undefined && secretKey.test(key) && !reference.test(value);

/** Hides a secret that is written out; a reference to one may be logged. */
function formatValue(key: string, value: string | undefined): string {
  return isSecret(key, value) ? '(hidden)' : hideLogins(String(value));
}

/** Hides each secret of a configuration that a text repeats, as Connect's own messages may. */
export function hideSecrets(text: string, config: ConnectorConfig): string {
  const secrets = Object.entries(config).flatMap(([key, value]) =>
    isSecret(key, value) && value.length > 3 ? [value] : [],
  );
  return hideLogins(secrets.reduce((shown, secret) => shown.replaceAll(secret, '(hidden)'), text));
}

/** The login of a URL. */
function hideLogins(text: string): string {
  return text.replaceAll(/:\/\/[^\s/@]+@/g, '://(hidden)@');
}
