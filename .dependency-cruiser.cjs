/** The walls between the workspaces: see docs/decisions.md. Tests may import across them. */
const tests = '[.]test[.]ts$|(^|/)test/|^bench/';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'not-resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'services-do-not-know-each-other',
      severity: 'error',
      from: { path: '^services/([^/]+)/', pathNot: tests },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'packages-do-not-know-services',
      severity: 'error',
      from: { path: '^(packages|contracts)/', pathNot: tests },
      to: { path: '^(ops|provision|services|stack)/' },
    },
    {
      name: 'production-carries-no-launcher',
      severity: 'error',
      from: { path: '^(contracts|ops|packages|provision|services)/', pathNot: tests },
      to: { path: '^stack/' },
    },
    {
      name: 'provisioning-knows-no-service',
      severity: 'error',
      from: { path: '^provision/', pathNot: tests },
      to: { path: '^(ops|services)/' },
    },
    {
      name: 'contracts-registry-and-service-import-no-workspace',
      severity: 'error',
      from: { path: '^(contracts|packages/(registry|service))/', pathNot: tests },
      to: {
        path: '^(contracts|ops|packages|provision|services|stack)/',
        pathNot: '^(contracts|packages/(registry|service))/',
      },
    },
    {
      name: 'outbox-and-inbox-do-not-know-each-other',
      severity: 'error',
      from: { path: '^packages/(outbox|inbox)/', pathNot: tests },
      to: { path: '^packages/(outbox|inbox)/', pathNot: '^packages/$1/' },
    },
    {
      name: 'inbox-stages-go-one-way',
      severity: 'error',
      from: { path: '^packages/inbox/src/(apply|fail)/', pathNot: tests },
      to: { path: '^packages/inbox/src/consume/' },
    },
    {
      name: 'inbox-fail-does-not-know-apply',
      severity: 'error',
      from: { path: '^packages/inbox/src/fail/', pathNot: tests },
      to: { path: '^packages/inbox/src/apply/' },
    },
    {
      name: 'inbox-stages-do-not-know-operator-and-audit',
      severity: 'error',
      from: { path: '^packages/inbox/src/(consume|apply|fail)/', pathNot: tests },
      to: { path: '^packages/inbox/src/(operator|audit)/' },
    },
    {
      name: 'inbox-store-health-and-schemas-know-no-stage',
      severity: 'error',
      from: { path: '^packages/inbox/src/(store|health|schemas)/', pathNot: tests },
      to: { path: '^packages/inbox/src/(consume|apply|fail|operator|audit)/' },
    },
    {
      name: 'inbox-operator-and-audit-start-nothing',
      severity: 'error',
      from: { path: '^packages/inbox/src/(operator|audit)/', pathNot: tests },
      to: {
        path: '^packages/inbox/src/(consume|apply|operator|audit)/',
        pathNot: '^packages/inbox/src/($1/|consume/(lag|positions)[.]ts$)',
      },
    },
    {
      // Backoff is a pure rule: the arithmetic of growing waits.
      name: 'domain-knows-nothing-else',
      severity: 'error',
      from: { path: '^(services/[^/]+)/src/domain/', pathNot: tests },
      to: {
        path: '^(services/[^/]+/src/(application|http|database)|packages)/|node_modules/',
        pathNot: '^packages/service/src/process/backoff[.]ts$',
      },
    },
    {
      name: 'application-knows-no-edge',
      severity: 'error',
      from: { path: '^services/[^/]+/src/application/', pathNot: tests },
      to: {
        path: '^services/[^/]+/src/(http|database)/|node_modules/(koa|typeorm|mysql2|kafkajs)/',
      },
    },
    {
      name: 'edges-do-not-know-each-other',
      severity: 'error',
      from: { path: '^services/[^/]+/src/(http|database)/', pathNot: tests },
      to: { path: '^services/[^/]+/src/(http|database)/', pathNot: '^services/[^/]+/src/$1/' },
    },
    {
      name: 'kafkajs-only-where-kafka-is-spoken',
      severity: 'error',
      from: { pathNot: `^(packages/(inbox|kafka|relay)|provision)/|${tests}` },
      to: { path: 'node_modules/kafkajs/' },
    },
    {
      name: 'order-service-has-no-kafka',
      severity: 'error',
      from: { path: '^services/order-service/', pathNot: tests },
      to: { path: 'node_modules/kafkajs/|^packages/(inbox|kafka|relay)/' },
    },
    {
      name: 'koa-only-at-the-http-edge',
      severity: 'error',
      from: { pathNot: `^(services/[^/]+/src/http|packages/service)/|${tests}` },
      to: { path: 'node_modules/(koa|@koa/[^/]+|koa-helmet)/' },
    },
    {
      // One way to open MySQL, whose types come from there too. The checker shares no code with
      // what it checks; the observer's pool connects again.
      name: 'mysql-is-opened-in-one-package',
      severity: 'error',
      from: {
        pathNot: '^packages/mysql/|^test/(chaos/checker/|hosts/observe[.]ts$)',
      },
      to: { path: 'node_modules/mysql2/' },
    },
    {
      name: 'typeorm-only-in-database-folders',
      severity: 'error',
      from: { pathNot: `/database/|^packages/(mysql|inbox|outbox)/|${tests}` },
      to: { path: 'node_modules/typeorm/' },
    },
    {
      // A checker that shares code with what it checks shares its errors, directly or through a
      // helper.
      name: 'the-checker-shares-no-code-with-what-it-checks',
      severity: 'error',
      from: {
        path: '^test/chaos/(history[.]ts$|checker/)',
        pathNot: '[.]test[.]ts$|^test/chaos/checker/main[.]ts$',
      },
      to: { path: '^(services|packages|contracts)/', reachable: true },
    },
    {
      name: 'no-tests-in-production',
      severity: 'error',
      from: { path: '^(contracts|ops|packages|provision|services|stack)/', pathNot: tests },
      to: { path: tests },
    },
  ],
  options: {
    parser: 'swc',
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)[.]stack/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
