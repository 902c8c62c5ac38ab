import {
  checkDisk,
  checkJava,
  checkMaven,
  checkMemory,
  checkMysqld,
  checkNode,
  checkNpm,
  checkPlatform,
  type Finding,
} from './checks.ts';

/** Everything that a start needs from the machine, ports left out. */
export async function checkMachine(): Promise<Finding[]> {
  const [java, mysqld] = await Promise.all([checkJava(), checkMysqld()]);
  return [checkPlatform(), checkNode(), checkNpm(), java, checkMaven(), mysqld, checkDisk(), checkMemory()];
}

/** Throws one sentence for each thing missing, with the way out; nothing has been started or fetched by then. */
export async function refuseWhatIsMissing(): Promise<void> {
  const problems = (await checkMachine()).filter(({ status }) => status === 'missing');
  if (problems.length === 0) return;
  throw new Error(problems.map(({ name, detail, fix }) => `${name}: ${detail}; ${fix}.`).join('\n'));
}
