import { expect, it } from 'vitest';
import { isPort, readComposePorts, readDotEnv } from '../../infra/containers/ports.mjs';
import { readText } from './read-compose.ts';

const compose = readText('docker-compose.yml');
const named = (...profiles: string[]) =>
  readComposePorts(compose, {}, profiles).map(({ variable }) => variable);

it('the ports of docker-compose.yml are those that .env.example moves, and a profile adds its own', () => {
  const example = readDotEnv(readText('.env.example').replaceAll(/^#/gm, ''));
  const all = readComposePorts(compose, {}, ['metrics']);
  expect(Object.fromEntries(all.map(({ variable, value }) => [variable, value]))).toEqual(
    Object.fromEntries(Object.entries(example).filter(([name]) => name.endsWith('_PORT'))),
  );
  expect(named('metrics').filter((name) => !named().includes(name))).toEqual([
    'PROMETHEUS_PORT',
    'GRAFANA_PORT',
  ]);
});

it('a variable moves its port; an empty one does not, as in compose', () => {
  const portOf = (values: Record<string, string>) =>
    readComposePorts(compose, values, []).find(({ service }) => service === 'order-service');
  expect(portOf({ ORDER_SERVICE_PORT: '9' })).toEqual({
    service: 'order-service',
    host: '127.0.0.1',
    variable: 'ORDER_SERVICE_PORT',
    value: '9',
  });
  expect(portOf({ ORDER_SERVICE_PORT: '' })?.value).toBe('8080');
});

it.each(['0', '8080', '8080-8090'])('%s is a port', (value) => expect(isPort(value)).toBe(true));
it.each(['abc', '65536', '-1', '80a', ''])('"%s" is no port', (value) =>
  expect(isPort(value)).toBe(false),
);

it('a .env file may quote, comment and export', () => {
  expect(readDotEnv('A=1\n#B=2\nexport C="3 # three"\n D = 4 # four\nE=\'5\'\nF=\n')).toEqual({
    A: '1',
    C: '3 # three',
    D: '4',
    E: '5',
    F: '',
  });
});
