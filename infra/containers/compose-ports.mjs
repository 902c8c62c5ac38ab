/**
 * The ports that docker-compose.yml publishes under a variable, with the values that they have
 * here: what can be told without the compose plugin, and which variable a wrong number came from.
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
