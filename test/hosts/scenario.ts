import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { waitUntil } from '@board/test';
import { openNetwork, type Network } from './network.ts';
import { observe } from './observe.ts';
import { runClients } from './run-clients.ts';
import { startServers, type HostedPipeline } from './start-servers.ts';

/** What happened, for the tests to check. */
export type Report = Awaited<ReturnType<typeof runScenario>>;

// Runs on the operator's host, the only one that reaches the others; its argument is the process
// that has made the hosts.
const startedAt = Date.now();
const network = openNetwork(Number(process.argv[2]));
const report = await runScenario(network, await startServers(network, say));
writeFileSync(join(network.folder, 'report.json'), JSON.stringify(report));
say('the scenario has ended');
// The servers are ended with their hosts.
process.exit(0);

async function runScenario({ hosts, address, listening, cut }: Network, pipeline: HostedPipeline) {
  const startMs = Date.now() - startedAt;
  const listeners = await Promise.all(
    hosts.map(async (host) => ({ host, address: address(host), listensAt: await listening(host) })),
  );
  const observer = await observe(pipeline);
  const untilMembers = (count: number): Promise<unknown> =>
    waitUntil(`${count} consumers`, async () => (await observer.members()).length === count, {
      timeoutMs: 120_000,
    });
  const clients = runClients(pipeline.orderServiceUrl, 4);
  const moreCommitted = async (count: number): Promise<void> => {
    const before = clients.counts().committed;
    await waitUntil(
      `${count} more commands committed`,
      () => clients.counts().committed >= before + count,
      {
        timeoutMs: 120_000,
      },
    );
  };
  const untilApplied = async (timeoutMs: number): Promise<number> => {
    await moreCommitted(30);
    return observer.applied(clients.ledger(), timeoutMs);
  };

  say('undisturbed');
  await untilMembers(2);
  const undisturbed = { appliedMs: await untilApplied(60_000), members: await observer.members() };

  say('the host of a broker is cut off');
  const plugIn = await cut('kafka-2', 'down');
  await waitUntil('copies behind', async () => (await observer.behind()) === 3, {
    timeoutMs: 120_000,
  });
  const broker = { appliedMs: await untilApplied(120_000) };
  await plugIn();
  await waitUntil('every copy in step', async () => (await observer.behind()) === 0, {
    timeoutMs: 120_000,
  });
  await untilMembers(2);

  say("packets from and to the second catalog-service's host vanish");
  const silencedAt = Date.now();
  const endSilence = await cut('services-b', 'silent');
  await untilMembers(1);
  const leftAfterMs = Date.now() - silencedAt;
  const services = {
    leftAfterMs,
    appliedMs: await untilApplied(90_000),
    members: await observer.members(),
  };
  await endSilence();
  await untilMembers(2);

  say("what is sent to MySQL's host vanishes");
  const hear = await cut('mysql', 'deaf');
  const before = clients.counts();
  const readiness = await Promise.all(
    [pipeline.orderServiceUrl, ...pipeline.catalogUrls].map((url) => untilUnready(`${url}/readyz`)),
  );
  // Long enough for connections to break, not only to stall.
  await waitUntil('commands refused', () => clients.counts().refused >= before.refused + 20, {
    timeoutMs: 120_000,
  });
  const committedMeanwhile = clients.counts().committed - before.committed;
  await hear();
  const mysql = { readiness, committedMeanwhile, appliedMs: await untilApplied(90_000) };

  say('the end');
  await clients.stop();
  const ledger = clients.ledger();
  await observer.applied(ledger, 60_000);
  const end = {
    boards: ledger.size,
    counts: clients.counts(),
    versions: [...new Set(ledger.values())],
    wrong: await observer.wrong(ledger),
    totals: await observer.totals(),
    audit: await audit(pipeline),
  };
  await observer.close();
  return { startMs, listeners, undisturbed, broker, services, mysql, end };
}

/** Asks until the service says that it cannot do its work; its status then. */
function untilUnready(url: string): Promise<number> {
  return waitUntil(
    `${url} red`,
    async () => {
      const { status } = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      return status === 200 ? undefined : status;
    },
    { timeoutMs: 120_000, everyMs: 200 },
  );
}

function audit({
  mysql,
  secrets,
  brokers,
  connectUrl,
}: HostedPipeline): Promise<{ exitCode: number; output: string }> {
  const env = {
    ...process.env,
    DATABASE_HOST: mysql.host,
    DATABASE_PORT: String(mysql.port),
    DATABASE_PASSWORD: secrets.audit,
    KAFKA_BROKERS: brokers.join(','),
    CONNECT_URL: connectUrl,
  };
  return new Promise((done) => {
    const file = resolve(import.meta.dirname, '../../ops/commands/audit.ts');
    const child = execFile(process.execPath, [file], { env }, (_error, out, err) =>
      done({ exitCode: child.exitCode ?? -1, output: out + err }),
    );
  });
}

function say(line: string): void {
  process.stderr.write(`${((Date.now() - startedAt) / 1000).toFixed(1)} s: ${line}\n`);
}
