import { spawnSync } from 'node:child_process';
import { createMetrics } from '@board/service';
import { beforeAll, describe, expect, inject, it, type TestContext } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createKeeperMetrics } from '../../services/keeper/src/application/keeper-metrics.ts';
import { fetchPromtool, type Tool } from './fetch-tool.ts';
import { checkout, readCompose, readText } from './read-compose.ts';

const stack = inject('stack');
const folder = 'infra/monitoring';

let promtool: Tool;
beforeAll(async () => {
  promtool = await fetchPromtool();
}, 300_000);

function run(context: TestContext, ...args: string[]) {
  if (promtool.kind === 'missing')
    return context.skip(`promtool cannot be had: ${promtool.problem}`);
  const [program = '', ...first] = promtool.command;
  const { status, stdout, stderr } = spawnSync(program, [...first, ...args], {
    cwd: `${checkout}/${folder}`,
    encoding: 'utf8',
  });
  return { status, output: `${stdout}${stderr}` };
}

describe('promtool', () => {
  it('finds the configuration and the rules in order', (context) => {
    expect(run(context, 'check', 'config', 'prometheus.yml')).toMatchObject({ status: 0 });
  });

  it('sees each alert fire when it must, and be silent else', (context) => {
    expect(run(context, 'test', 'rules', 'alerts.test.yml')).toMatchObject({ status: 0 });
  });
});

const rules = z
  .object({
    groups: z.array(
      z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) }),
    ),
  })
  .parse(parse(readText(`${folder}/alerts.yml`)))
  .groups.flatMap((group) => group.rules);
const dashboard = z
  .object({
    panels: z.array(
      z.object({
        title: z.string(),
        datasource: z.object({ uid: z.string() }),
        targets: z.array(z.object({ expr: z.string() })),
      }),
    ),
  })
  .parse(JSON.parse(readText(`${folder}/grafana/board.json`)));

const words = /\b(?:inbox|http|process|nodejs|keeper)_[a-z0-9_]+\b/g;
const metricsIn = (expression: string): string[] => expression.match(words) ?? [];

it("every alert is in the rules' own test, at a time when it fires", () => {
  const fired = [
    ...readText(`${folder}/alerts.test.yml`).matchAll(/alertname="(\w+)"\}', value: /g),
  ].map(([, name]) => name);
  expect([...new Set(fired)].toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
});

describe('every metric that is asked for is exposed by a service that runs', () => {
  let exposed: Set<string>;
  beforeAll(async () => {
    const pages = await Promise.all(
      [stack.orderServiceUrl, ...stack.catalogUrls].map(async (url) =>
        (await fetch(`${url}/metrics`)).text(),
      ),
    );
    // The keeper's own registry, whether or not the stack has one.
    const keeper = createMetrics('keeper');
    createKeeperMetrics(keeper);
    exposed = new Set(
      [...pages, await keeper.metrics()].flatMap((page) =>
        [...page.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
          type === 'histogram'
            ? ['_bucket', '_sum', '_count'].map((part) => `${name}${part}`)
            : [name],
        ),
      ),
    );
  });

  const asked = [
    ...rules.map(({ alert, expr }) => [`alert ${alert}`, metricsIn(expr)] as const),
    ...dashboard.panels.map(
      ({ title, targets }) =>
        [`panel ${title}`, targets.flatMap(({ expr }) => metricsIn(expr))] as const,
    ),
  ];

  it.each(asked)('%s', (what, metrics) => {
    // `up` is Prometheus's own.
    if (!/ServiceDown|Instances away/.test(what)) expect(metrics).not.toEqual([]);
    expect(metrics.filter((metric) => !exposed.has(metric))).toEqual([]);
  });
});

it('Prometheus asks every service of ours, at the port that it has', () => {
  const { scrape_configs: jobs } = z
    .object({
      scrape_configs: z.array(
        z.object({
          job_name: z.string(),
          static_configs: z.array(z.object({ targets: z.array(z.string()) })),
        }),
      ),
    })
    .parse(parse(readText(`${folder}/prometheus.yml`)));
  const targets = jobs.flatMap((job) => job.static_configs.flatMap((config) => config.targets));
  const services = Object.entries(readCompose('docker-compose.yml').services)
    // One that runs only when it is asked for would be an alarm while it does not.
    .filter(
      ([, { environment, profiles }]) =>
        environment['INSTANCE'] !== undefined && profiles.length === 0,
    )
    .map(([name, { environment }]) => `${name}:${environment['HTTP_PORT']}`);
  expect(targets.toSorted()).toEqual(services.toSorted());
});

it('the dashboard asks the data source that Grafana gets', () => {
  const provisioned = z
    .object({ datasources: z.array(z.object({ uid: z.string(), url: z.string() })) })
    .parse(
      parse(readText(`${folder}/grafana/provisioning/datasources/prometheus.yml`)),
    ).datasources;
  expect(provisioned.map(({ url }) => url)).toEqual(['http://prometheus:9090']);
  for (const { datasource } of dashboard.panels) expect(datasource.uid).toBe(provisioned[0]?.uid);
});
