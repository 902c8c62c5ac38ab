import { boardTopic, catalogConsumer } from '@board/contracts';
import { catalogRows } from './catalog-rows.ts';
import type { ConsumerRows } from './consumer-rows.ts';

export interface KnownConsumer {
  readonly group: string;
  readonly sourceTopic: string;
  readonly aggregateType: string;
  /** Undefined: neither baseline nor rebuild. */
  readonly rows: ConsumerRows | undefined;
}

/** Every consumer that the commands know by name: add the next one here. */
const consumers: Readonly<Record<string, KnownConsumer>> = {
  catalog: {
    group: catalogConsumer.group,
    sourceTopic: boardTopic.name,
    aggregateType: boardTopic.name,
    rows: catalogRows,
  },
};

/** A consumer by its name, or one that has none as `<group>/<topic>/<aggregate type>`; undefined when it is neither. */
export function findConsumer(name: string): KnownConsumer | undefined {
  if (Object.hasOwn(consumers, name)) return consumers[name];
  const [group, sourceTopic, aggregateType, ...more] = name.split('/');
  return group && sourceTopic && aggregateType && more.length === 0
    ? { group, sourceTopic, aggregateType, rows: undefined }
    : undefined;
}

export const consumerNames: readonly string[] = Object.keys(consumers);
