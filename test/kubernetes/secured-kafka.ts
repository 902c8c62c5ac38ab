import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type KafkaAccess, openAdmin } from '@board/kafka';
import { createScope } from '@board/service';
import { waitUntil } from '@board/test';
import { fetchJars, type Jars } from '../../stack/fetch/fetch-jars.ts';
import { ensureJava, type Java } from '../../stack/fetch/find-programs.ts';
import { pickFreePort } from '../../stack/instance/ports.ts';
import { lastLines } from '../../stack/run/run-command.ts';
import { properties } from '../../stack/servers/settings.ts';

const run = promisify(execFile);
const silent = (): void => undefined;
const storePassword = 'of-a-test';

/**
 * One broker that accepts no client without a name, TLS and a rule, with a listener for the test
 * itself.
 */
export interface SecuredKafka {
  readonly folder: string;
  readonly ca: string;
  readonly caFile: string;
  /** As the test: everything is allowed. */
  readonly open: KafkaAccess;
  /** As one of the users. */
  access(user: string): KafkaAccess;
  readonly passwords: Readonly<Record<string, string>>;
  /** A Java program with Kafka's jars, ended with the broker; its log is in the folder. */
  start(
    name: string,
    run: (jars: Jars) => readonly string[],
    env?: Readonly<Record<string, string>>,
  ): void;
  readonly jars: Jars;
  close(): Promise<void>;
}

export async function startSecuredKafka(users: readonly string[]): Promise<SecuredKafka> {
  const scope = createScope();
  const folder = mkdtempSync(join(tmpdir(), 'secured-kafka-'));
  scope.defer('folder', () => rmSync(folder, { recursive: true, force: true }));
  const [java, jars] = await Promise.all([ensureJava(silent), fetchJars('kraft', silent)]);
  const [file = 'java', ...loader] = java.command;
  const passwords = Object.fromEntries(users.map((user) => [user, `password-of-${user}`]));
  const certificate = await makeCertificate(java, folder);
  const ports = {
    secured: await pickFreePort(),
    open: await pickFreePort(),
    controller: await pickFreePort(),
  };
  const settings = join(folder, 'broker.properties');
  writeFileSync(settings, properties(brokerProperties(folder, certificate.keyStore, ports)));

  const classPath = ['-cp', jars.brokers.join(':')];
  const logins = users.flatMap((user) => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${user},password=${passwords[user]}]`,
  ]);
  const format = [
    'format',
    '--cluster-id',
    'AAAAAAAAAAAAAAAAAAAAAQ',
    '--config',
    settings,
    ...logins,
  ];
  await run(file, [...loader, ...classPath, 'kafka.tools.StorageTool', ...format]);

  function start(
    name: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): void {
    const log = openSync(join(folder, `${name}.log`), 'w');
    const child = spawn(file, [...loader, '-Xmx384m', ...args], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
      cwd: folder,
    });
    scope.defer(name, () => stop(child));
  }

  start('broker', [...classPath, 'kafka.Kafka', settings]);
  const open = { brokers: [`127.0.0.1:${ports.open}`] };
  try {
    await waitUntil(
      'the broker',
      async () => {
        const admin = await openAdmin(open);
        await admin.disconnect();
        return true;
      },
      { timeoutMs: 60_000, everyMs: 500 },
    );
  } catch (cause) {
    const log = lastLines(join(folder, 'broker.log'), 20);
    await scope.close();
    throw new Error(log, { cause });
  }
  return {
    folder,
    ...certificate,
    open,
    passwords,
    access: (user) => ({
      brokers: [`127.0.0.1:${ports.secured}`],
      login: { user, password: passwords[user] ?? '' },
      ca: certificate.ca,
    }),
    jars,
    start: (name, argsOf, env) => start(name, argsOf(jars), env),
    close: () => scope.close(),
  };
}

/** A certificate that vouches for itself, as the operator's own CA would for a broker. */
async function makeCertificate(java: Java, folder: string) {
  const [program = 'java', ...rest] = java.command;
  const javaFile = rest.at(-1) ?? program;
  const keytool = join(dirname(javaFile), 'keytool');
  const [file, loader] =
    rest.length === 0 ? [keytool, []] : [program, [...rest.slice(0, -1), keytool]];
  const keyStore = join(folder, 'broker.p12');
  const caFile = join(folder, 'ca.crt');
  const store = [
    '-alias',
    'broker',
    '-keystore',
    keyStore,
    '-storetype',
    'PKCS12',
    '-storepass',
    storePassword,
  ];
  const key = [
    '-genkeypair',
    '-keyalg',
    'EC',
    '-dname',
    'CN=broker',
    '-ext',
    'san=ip:127.0.0.1',
    '-validity',
    '2',
  ];
  await run(file, [...loader, ...key, ...store]);
  await run(file, [...loader, '-exportcert', '-rfc', '-file', caFile, ...store]);
  return { keyStore, caFile, ca: readFileSync(caFile, 'utf8') };
}

function brokerProperties(
  folder: string,
  keyStore: string,
  ports: { readonly secured: number; readonly open: number; readonly controller: number },
): Record<string, string | number | boolean> {
  const listeners = `SECURED://127.0.0.1:${ports.secured},OPEN://127.0.0.1:${ports.open}`;
  const scram = 'listener.name.secured.scram-sha-512.sasl.jaas.config';
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    listeners: `${listeners},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': listeners,
    'listener.security.protocol.map': 'SECURED:SASL_SSL,OPEN:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'OPEN',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    [scram]: 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': keyStore,
    'ssl.keystore.password': storePassword,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await ended;
  clearTimeout(timer);
}
