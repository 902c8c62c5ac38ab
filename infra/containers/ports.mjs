import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The ports that docker-compose.yml publishes under a variable, with the values that they have
 * here: what is known without the compose plugin, and which variable a wrong number came from.
 */
export function readComposePorts(compose, values, profiles) {
  const services = compose.slice(compose.indexOf('\nservices:\n'));
  return [...services.matchAll(/^ {2}([\w-]+):\n((?: {4}.*\n|\n)*)/gm)].flatMap(
    ([, service, body]) => {
      const [, profile] = /^ {4}profiles: \[([\w-]+)\]/m.exec(body) ?? [];
      if (profile !== undefined && !profiles.includes(profile)) return [];
      return [...body.matchAll(/'([\d.]+):\$\{(\w+):-(\d+)\}:\d+'/g)].map(
        ([, host, variable, preset]) => ({
          service,
          host,
          variable,
          value: values[variable] || preset,
        }),
      );
    },
  );
}

/** A port, or a range of them, of which compose takes a free one. */
export function isPort(value) {
  return /^\d+(-\d+)?$/.test(value) && value.split('-').every((port) => Number(port) < 65_536);
}

/** The variables of a `.env` file. */
export function readDotEnv(text) {
  const assignments = text.matchAll(
    /^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*(?:'([^'\n]*)'|"([^"\n]*)"|([^\n]*))/gm,
  );
  return Object.fromEntries(
    [...assignments].map(([, name, single, double, plain = '']) => [
      name,
      single ?? double ?? plain.replace(/(^|\s)#.*/, '').trim(),
    ]),
  );
}

/** The native stacks of this checkout that run, each with the ports that its programs listen on. */
export function findNativeStacks(checkout) {
  const folder = join(checkout, '.stack');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const file = join(folder, name, 'run/state.json');
    if (!existsSync(file)) return [];
    const { phase, supervisor, processes } = JSON.parse(readFileSync(file, 'utf8'));
    if (phase === 'stopped' || !isAlive(supervisor.pid)) return [];
    return [
      { name, ports: processes.map(({ address }) => Number(/:(\d+)(?:\/|$)/.exec(address)?.[1])) },
    ];
  });
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // A process of another user lives too.
    return error.code === 'EPERM';
  }
}
