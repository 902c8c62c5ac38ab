import { expect, test } from 'vitest';
import { originForm } from './create-http-server.ts';

test.each([
  ['/boards?limit=1', '/boards?limit=1'],
  ['http://a:8080/boards?limit=1', '/boards?limit=1'],
  ['HTTP://a', '/'],
  ['http://a?b', '/?b'],
  ['http://[/boards', '/boards'],
  ['http://a:99999999/x://y', '/x://y'],
  ['//[/boards', '//[/boards'],
  ['*', '*'],
])('%s is %s', (target, path) => {
  expect(originForm(target)).toBe(path);
});
