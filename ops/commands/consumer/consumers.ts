import { consumers } from '@board/contracts';
import { seedCatalog } from './seed-catalog.ts';
import type { ConsumerTransaction, SeedRow } from './consumer-rows.ts';

export interface KnownConsumer {
  readonly group: string;
  readonly sourceTopic: string;
  readonly aggregateType: string;
  /** The MySQL database of its marks, and its user there; undefined: the environment says it. */
  readonly database: string | undefined;
  /** Its own tables; undefined: they are not known, so neither baseline nor rebuild. */
  readonly tables: readonly string[] | undefined;
  /** Undefined: no baseline. */
  readonly seed: ((tx: ConsumerTransaction, rows: readonly SeedRow[]) => Promise<void>) | undefined;
}

/** How a baseline fills a consumer's tables, by the consumer's name. */
const seeds: Readonly<Record<string, KnownConsumer['seed']>> = { catalog: seedCatalog };

/**
 * A consumer by its name, or one that has none as `<group>/<topic>/<aggregate type>`; undefined
 * when it is neither.
 */
export function findConsumer(name: string): KnownConsumer | undefined {
  const known = consumers.find((consumer) => consumer.name === name);
  if (known !== undefined) {
    const { group, source, aggregateType, database, tables } = known;
    return { group, sourceTopic: source.name, aggregateType, database, tables, seed: seeds[name] };
  }
  const [group, sourceTopic, aggregateType, ...more] = name.split('/');
  return group && sourceTopic && aggregateType && more.length === 0
    ? { group, sourceTopic, aggregateType, database: undefined, tables: undefined, seed: undefined }
    : undefined;
}

export const consumerNames: readonly string[] = consumers.map(({ name }) => name);
