import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { chooseDefinitions, nearest, readDefinition, readDefinitions } from './definitions.ts';

const folder = mkdtempSync(join(tmpdir(), 'connectors-'));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const definition = (name: string) => ({ name, 'connector.class': 'org.example.Source' });

beforeEach(() => {
  write('orders.json', JSON.stringify(definition('orders')));
  write('mirror.json', JSON.stringify(definition('mirror')));
  write('notes.json', '{"about":"no connector"}');
});

it('every JSON file with a connector.class is a definition', () => {
  expect(readDefinitions(folder)).toEqual([definition('mirror'), definition('orders')]);
});

it('two files must not define one name', () => {
  const file = write('orders-too.json', JSON.stringify(definition('orders')));
  expect(() => readDefinitions(folder)).toThrow(/orders is defined twice/);
  rmSync(file);
});

it("the project's own folder defines board-outbox", () => {
  expect(chooseDefinitions([]).map(({ name }) => name)).toContain('board-outbox');
});

describe('a definition is chosen', () => {
  it('by name, by file, and all of the folder by no argument', () => {
    expect(chooseDefinitions(['orders'], folder)).toEqual([definition('orders')]);
    const file = write('own.json', JSON.stringify(definition('own')));
    expect(chooseDefinitions([file], folder)).toEqual([definition('own')]);
    rmSync(file);
    expect(chooseDefinitions([], folder)).toHaveLength(2);
  });

  it('not by an unknown name, whose nearest names the error has', () => {
    expect(() => chooseDefinitions(['ordres'], folder)).toThrow(/did you mean orders\?$/);
    expect(() => chooseDefinitions(['x'], folder)).toThrow(/there is mirror, orders$/);
    expect(nearest('x', [])).toBe('there is none');
  });
});

describe('a file is refused', () => {
  it('that is no JSON, with line and column', () => {
    const file = write('bad.txt', '{\n  "name": "x",\n  oops\n}');
    expect(() => readDefinition(file)).toThrow(/bad\.txt is no JSON: .*line 3 column 3/);
    const cut = write('cut.txt', '{\n  "name": "x"');
    expect(() => readDefinition(cut)).toThrow(/is no JSON: it ends too soon, at line 2 column \d+/);
  });

  it('that is no JSON, without what may be a secret', () => {
    const file = write('secret.txt', '{"name":"x","database.password":s3cr3t}');
    expect(() => readDefinition(file)).toThrow(/is no JSON: unexpected text at line 1 column 33$/);
  });

  it('that has the form of POST', () => {
    const file = write('post.json', '{"name":"x","config":{"connector.class":"a"}}');
    expect(() => readDefinitions(folder)).toThrow(/must be the flat configuration/);
    // It is not in the way of another one.
    expect(chooseDefinitions(['orders'], folder)).toEqual([definition('orders')]);
    rmSync(file);
  });

  it('that is given twice, or names a path of Connect', () => {
    const file = join(folder, 'orders.json');
    expect(() => chooseDefinitions([file, 'orders'], folder)).toThrow(/orders is defined twice/);
    const dots = write('dots.txt', JSON.stringify(definition('..')));
    expect(() => readDefinition(dots)).toThrow(/name: must be one line of text/);
  });

  it('that has no name, or a value that is no string', () => {
    const file = write('half.txt', '{"connector.class":"a","tasks.max":1}');
    expect(() => readDefinition(file)).toThrow(/is no connector definition.*name: .*tasks\.max: /);
    expect(() => readDefinition(write('list.txt', '[]'))).toThrow(/is no connector definition/);
  });

  it('that is not there', () => {
    expect(() => readDefinition(join(folder, 'none.json'))).toThrow(/cannot be read: .*ENOENT/);
  });
});
