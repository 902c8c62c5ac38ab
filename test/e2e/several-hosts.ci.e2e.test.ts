import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNetwork, whyNoNetwork, type Network } from '../hosts/network.ts';
import type { Report } from '../hosts/scenario.ts';

const problem = await whyNoNetwork();

// One scenario, run once by a process on a host of its own; each test checks a part of its report.
describe.skipIf(problem !== undefined)(
  `on eight hosts${problem === undefined ? '' : ` (not here: ${problem})`}`,
  () => {
    let network: Network | undefined;
    let report: Report;

    beforeAll(async () => {
      network = await createNetwork();
      const scenario = resolve(import.meta.dirname, '../hosts/scenario.ts');
      const command = network.on('operator', {
        file: process.execPath,
        args: [scenario, String(process.pid)],
      });
      const logFile = join(network.folder, 'scenario.log');
      const log = openSync(logFile, 'a', 0o600);
      const child = spawn(command.file, command.args, { stdio: ['ignore', log, log] });
      closeSync(log);
      const [exitCode] = await once(child, 'exit');
      if (exitCode !== 0)
        throw new Error(`the scenario broke off:\n${readFileSync(logFile, 'utf8')}`);
      report = JSON.parse(readFileSync(join(network.folder, 'report.json'), 'utf8')) as Report;
    }, 600_000);
    afterAll(() => network?.remove(), 60_000);

    it('listens on each host only at its own address, and on loopback for MySQL', () => {
      expect(report.listeners).toEqual(
        report.listeners.map(({ host, address }) => ({
          host,
          address,
          listensAt:
            host === 'operator' ? [] : host === 'mysql' ? ['127.0.0.1', address] : [address],
        })),
      );
    });

    it('goes on while the host of a broker is cut off', () => {
      // Java's and kafkajs's clients wait 15 to 30 s for an answer of a host that is gone, some
      // twice.
      expect(report.broker.appliedMs).toBeLessThan(120_000);
    });

    it('moves the partitions of a silenced consumer to the other one, and takes it back', () => {
      // The session of 10 s, a rebalance, and what a loaded machine adds.
      expect(report.services.leftAfterMs).toBeGreaterThan(3_000);
      expect(report.services.leftAfterMs).toBeLessThan(30_000);
      expect(report.services.members).toEqual(['catalog-service-1']);
      expect(report.undisturbed.members).toEqual(['catalog-service-1', 'catalog-service-2']);
    });

    it('answers 503 while MySQL cannot be reached, and goes on by itself', () => {
      expect(report.mysql.readiness).toEqual([503, 503, 503]);
      // Each of four clients may have had an answer on its way.
      expect(report.mysql.committedMeanwhile).toBeLessThanOrEqual(4);
      expect(report.mysql.appliedMs).toBeLessThan(60_000);
    });

    it('has applied every committed version of every board once, in order, at the end', () => {
      const { boards, counts, versions, wrong, totals, audit } = report.end;
      expect(boards).toBeGreaterThan(50);
      expect(counts.committed).toBe(boards * 3);
      expect(versions).toEqual([3]);
      expect(wrong).toEqual([]);
      expect(totals).toEqual({ boards, created: boards });
      expect(audit).toEqual({ exitCode: 0, output: expect.stringMatching(/^LOST +0$/m) as string });
    });
  },
);
