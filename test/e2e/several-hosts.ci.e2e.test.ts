import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNetwork, whyNoNetwork, type Network } from '../hosts/network.ts';
import type { Report } from '../hosts/story.ts';

const problem = await whyNoNetwork();

// One story, told once by a process on a host of its own; each test judges a part of it.
describe.skipIf(problem !== undefined)(
  `on eight hosts${problem === undefined ? '' : ` (not here: ${problem})`}`,
  () => {
    let network: Network | undefined;
    let report: Report;

    beforeAll(async () => {
      network = await createNetwork();
      const story = resolve(import.meta.dirname, '../hosts/story.ts');
      const command = network.on('operator', {
        file: process.execPath,
        args: [story, String(process.pid)],
      });
      const logFile = join(network.folder, 'story.log');
      const log = openSync(logFile, 'a', 0o600);
      const child = spawn(command.file, command.args, { stdio: ['ignore', log, log] });
      closeSync(log);
      const [exitCode] = await once(child, 'exit');
      if (exitCode !== 0) throw new Error(`the story broke off:\n${readFileSync(logFile, 'utf8')}`);
      report = JSON.parse(readFileSync(join(network.folder, 'report.json'), 'utf8')) as Report;
    }, 600_000);
    afterAll(() => network?.remove(), 60_000);

    it('listens on each host at its own address ONLY, with loopback for MySQL alone', () => {
      expect(report.listeners).toEqual(
        report.listeners.map(({ host, address }) => ({
          host,
          address,
          listensAt:
            host === 'operator' ? [] : host === 'mysql' ? ['127.0.0.1', address] : [address],
        })),
      );
    });

    it('goes on while the host of a BROKER is cut off', () => {
      // Java's and kafkajs's clients wait 15 to 30 s for an answer of a host that is gone, some
      // twice.
      expect(report.broker.appliedMs).toBeLessThan(120_000);
    });

    it("moves a SILENCED consumer's partitions to the other one, and lets it back in", () => {
      // The session of 10 s, a rebalance, and what a loaded machine adds.
      expect(report.services.leftAfterMs).toBeGreaterThan(3_000);
      expect(report.services.leftAfterMs).toBeLessThan(30_000);
      expect(report.services.members).toEqual(['catalog-service-1']);
      expect(report.undisturbed.members).toEqual(['catalog-service-1', 'catalog-service-2']);
    });

    it('answers 503 while MYSQL cannot be reached, and goes on by itself', () => {
      expect(report.mysql.readiness).toEqual([503, 503, 503]);
      // Each of four clients may have had an answer on its way.
      expect(report.mysql.committedMeanwhile).toBeLessThanOrEqual(4);
      expect(report.mysql.appliedMs).toBeLessThan(60_000);
    });

    it('has applied every committed version of every board ONCE, in order, when all is over', () => {
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
