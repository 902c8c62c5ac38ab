import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { ensureJava } from '../../stack/fetch/find-programs.ts';
import { fetchJars } from '../../stack/fetch/fetch-jars.ts';

const silent = (): void => undefined;

/**
 * Runs one of Kafka's own tools, as people on the same brokers do, with these lines as its input;
 * throws with what it says when it fails.
 */
export async function runKafkaTool(
  tool: string,
  brokers: readonly string[],
  args: readonly string[],
  input: string | Buffer = '',
): Promise<string> {
  const [java, jars] = await Promise.all([ensureJava(silent), fetchJars('kraft', silent)]);
  const [file = 'java', ...loader] = java.command;
  const options = [
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-cp',
    jars.brokers.join(':'),
  ];
  const run = [`org.apache.kafka.tools.${tool}`, '--bootstrap-server', brokers.join(','), ...args];
  const child = spawn(file, [...loader, ...options, ...run], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const [output, problems, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  if (code !== 0) throw new Error(`${tool} ended with ${code}: ${problems.slice(-2_000)}`);
  return output + problems;
}
