import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { readStack } from '@board/stack';
import { addressesOf } from '../../src/stack-addresses.ts';
import type { Evidence } from './evidence.ts';
import { collectEvidence } from './collect-evidence.ts';
import { checkRun } from './check-run.ts';
import { printVerdict } from './print-verdict.ts';
import { readLedger } from './read-ledger.ts';

const help = `npm run chaos:check -- LEDGER [options]

Checks a chaos run: its ledger against what the stack holds now. The stack must be at rest.

  LEDGER             the JSON lines that the run wrote
  --instance NAME    the local stack that the run left behind (main)
  --evidence FILE    evidence that was kept earlier, instead of a stack
  --keep FILE        write the evidence there
  --json             the violations as JSON

Exit code: 0 no violation, 1 violations, 2 cannot tell.`;

const cannotTell = 2;

try {
  await run();
} catch (error) {
  console.error(`Cannot tell: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = cannotTell;
}

async function run(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      instance: { type: 'string', default: 'main' },
      evidence: { type: 'string' },
      keep: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return;
  }
  const [ledger, ...others] = positionals;
  if (ledger === undefined || others.length > 0)
    throw new Error('one ledger must be named: see --help');
  const history = await readLedger(ledger);
  const evidence =
    values.evidence === undefined
      ? await collectFrom(values.instance)
      : await readEvidence(values.evidence);
  if (values.keep !== undefined) await writeFile(values.keep, JSON.stringify(evidence));
  const violations = checkRun(history, evidence);
  console.log(values.json ? JSON.stringify(violations, null, 2) : printVerdict(violations));
  process.exitCode = violations.length === 0 ? 0 : 1;
}

async function readEvidence(file: string): Promise<Evidence> {
  return JSON.parse(await readFile(file, 'utf8')) as Evidence;
}

async function collectFrom(instance: string): Promise<Evidence> {
  const running = readStack(instance);
  if (running === undefined) throw new Error(`the stack "${instance}" does not run`);
  const { mysql, brokers } = addressesOf(running);
  const { host, port, rootPassword: password } = mysql;
  const login = { host, port, user: 'root', password };
  return collectEvidence({
    mysql: { ...login, orders: 'order_service', catalog: 'catalog_service' },
    brokers,
  });
}
