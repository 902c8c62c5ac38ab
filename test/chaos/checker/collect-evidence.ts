import type { Evidence } from './evidence.ts';
import { readDatabases, type DatabaseAddress } from './read-databases.ts';
import { readTopics } from './read-topics.ts';

export interface CheckedStack {
  /** A login that may read both databases. */
  readonly mysql: DatabaseAddress;
  readonly brokers: readonly string[];
}

/**
 * Reads everything that the checker compares: first the topics and the groups, then both
 * databases. Nothing is written. The stack must be at rest: what moves meanwhile looks like a
 * violation.
 */
export async function collectEvidence({ mysql, brokers }: CheckedStack): Promise<Evidence> {
  const topics = await readTopics(brokers);
  const databases = await readDatabases(mysql);
  return { readAt: Date.now(), ...topics, ...databases };
}
