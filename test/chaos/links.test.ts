import { expect, test } from 'vitest';
import { findUnused } from './links.ts';
import { linkNames, type LinkName } from './schedule.ts';

test('a link to MySQL or Kafka without a connection goes round its proxy; the registry is asked seldom', () => {
  const links = (without: readonly LinkName[]) =>
    new Map(
      linkNames.map((name) => [name, { connections: () => (without.includes(name) ? 0 : 2) }]),
    );
  expect(findUnused(links([]))).toEqual([]);
  expect(
    findUnused(links(['connect->mysql', 'order-service->registry', 'catalog-service-2->kafka'])),
  ).toEqual(['connect->mysql', 'catalog-service-2->kafka']);
});
