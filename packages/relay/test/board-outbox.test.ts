import {
  aggregates,
  boardTopic,
  headerNames,
  heartbeatTopic,
  schemaHistoryTopic,
  topicPrefix,
} from '@board/contracts';
import { describe, expect, it } from 'vitest';
import { boardOutbox, connectorTopics, defineConnector } from '../src/index.ts';

describe('board-outbox.json', () => {
  it('holds no address, user or password', () => {
    const outside = Object.entries(boardOutbox).filter(([key]) =>
      /hostname|\.port$|\.user$|password|bootstrap\.servers/.test(key),
    );
    expect(outside).toHaveLength(5);
    for (const [, value] of outside) expect(value).toMatch(/^\$\{env:CDC_[A-Z_]+\}$/);
  });

  it('has one filter of DDL, without a comma, at which Debezium would split it', () => {
    expect(boardOutbox['internal.schema.history.internal.ddl.filter']).toMatch(
      /^\(\?![^,]+\)\.\*$/,
    );
  });

  it('writes to the topics that the setup creates', () => {
    expect(boardOutbox['topic.prefix']).toBe(topicPrefix);
    expect(connectorTopics(boardOutbox)).toEqual({
      events: aggregates.map(({ topic }) => topic.name),
      heartbeat: heartbeatTopic.name,
      schemaHistory: schemaHistoryTopic.name,
    });
  });

  it('would create a missing topic exactly as board is defined', () => {
    const prefix = 'topic.creation.default.';
    const created = Object.entries(boardOutbox)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]);
    expect(Object.fromEntries(created)).toEqual({
      ...boardTopic.config,
      partitions: String(boardTopic.partitions),
      'replication.factor': String(boardTopic.replicationFactor),
    });
  });

  it('puts every header that consumers read on the record', () => {
    const placement = boardOutbox['transforms.outbox.table.fields.additional.placement'] ?? '';
    const placed = placement.split(',').map((part) => part.split(':'));
    expect(placed.every(([, where]) => where === 'header')).toBe(true);
    // The Event Router adds `id` by itself.
    expect([headerNames.eventId, ...placed.map(([, , name]) => name)].sort()).toEqual(
      Object.values(headerNames).sort(),
    );
  });
});

describe('defineConnector', () => {
  const definition = defineConnector({
    name: 'test-a',
    database: 'test_a',
    serverId: 7,
    topic: 'test-a.board',
  });

  it('shares no key with board-outbox that must be its own', () => {
    const own = [
      'name',
      'topic.prefix',
      'database.server.id',
      'database.include.list',
      'table.include.list',
      'internal.schema.history.internal.ddl.filter',
      'schema.history.internal.kafka.topic',
      'transforms.outbox.route.topic.replacement',
    ];
    expect(
      own.filter((key) => definition[key] === undefined || definition[key] === boardOutbox[key]),
    ).toEqual([]);
  });

  it('names its topics after itself', () => {
    expect(connectorTopics(definition)).toEqual({
      events: ['test-a.board'],
      heartbeat: '__debezium-heartbeat.test-a',
      schemaHistory: 'test-a.schema-history',
    });
  });

  it('lets single keys be set on top', () => {
    const changed = defineConnector({
      name: 'b',
      database: 'b',
      serverId: 8,
      config: { 'poll.interval.ms': '77' },
    });
    expect(changed['poll.interval.ms']).toBe('77');
  });
});
