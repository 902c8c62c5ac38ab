import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import vitestConfig from '../../vitest.config.ts';
import {
  checkCurl,
  checkDocker,
  checkKubectl,
  isFile,
  right,
  rightIf,
  services,
  wrong,
  type Checked,
  type Rule,
} from './foreign-commands.ts';
import { stopsAfterParsing } from './programs.ts';
import { checkout, listFiles, readText } from './read-documents.ts';

const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };

const checkNpm: Rule = (words, isMention) => {
  const [, verb = '', ...rest] = words.filter((word) => word !== '--silent');
  if (verb === 'install') return rightIf(rest.length === 0, 'npm install is used without more');
  const [script, ...args] = verb === 'run' ? rest : [verb, ...rest];
  if (script === undefined) return rightIf(isMention, 'npm run names no script');
  const command = scripts[script];
  if (command === undefined) return wrong(`package.json has no script "${script}"`);
  const [dashes, ...own] = args;
  if (dashes !== undefined && dashes !== '--')
    return wrong('npm takes options itself: write " -- " before those of the script');
  const [, program, before = ''] =
    /^node stack\/launch\.mjs exec -- node (\S+)$/.exec(command) ??
    /^node (infra\/\S+)$/.exec(command) ??
    /^node stack\/(launch)\.mjs ?(\w*)$/.exec(command) ??
    [];
  if (program === 'launch')
    return checkProgram('stack/cli.ts', before === '' ? own : [before, ...own]);
  if (program !== undefined) return checkProgram(program, own);
  if (command.includes(' vitest run')) return checkVitest(own);
  return rightIf(own.length === 0, `no rule knows the arguments of "${script}"`);
};

function checkProgram(file: string, args: readonly string[]): Checked {
  if (!isFile(file)) return wrong(`there is no file ${file}`);
  if (stopsAfterParsing(file, args) === undefined)
    return rightIf(
      args.length === 0,
      `the arguments of ${file} are not checked: add it to stopsAfterParsing of test/docs/programs.ts`,
    );
  const run = { file, args };
  const [command, ...named] = args.filter(
    (arg, index) => !arg.startsWith('-') && args[index - 1] !== '--instance',
  );
  if (file !== 'stack/cli.ts' || named.length === 0) return { kind: 'run', runs: [run] };
  // What these two are given the launcher compares with what runs; the logs have compose's names.
  const strange = named.find((name) => services(['docker-compose.yml'])[name] === undefined);
  if (command === 'logs' && strange !== undefined) return wrong(`there is no log "${strange}"`);
  const setup = { file: 'provision/main.ts', args: named };
  return { kind: 'run', runs: command === 'setup' ? [run, setup] : [run] };
}

const testFiles = listFiles('*.test.ts');
const projects = (vitestConfig.test?.projects ?? []).map((project) =>
  typeof project === 'object' && 'test' in project ? project.test?.name : undefined,
);

function checkVitest(args: readonly string[]): Checked {
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--project') {
      at += 1;
      if (!projects.some((name) => name === args[at])) return wrong(`no project ${args[at]}`);
    } else if (arg.startsWith('-')) {
      if (!/^--shard=\d+\/\d+$/.test(arg)) return wrong(`no rule knows ${arg} of vitest`);
    } else if (!testFiles.some((file) => file.includes(arg))) {
      return wrong(`no test file has "${arg}" in its path`);
    }
  }
  return right;
}

const checkNode: Rule = ([, file = '', ...args]) => checkProgram(file, args);

/** By the first word of a command. */
const rules: Readonly<Record<string, Rule>> = {
  npm: checkNpm,
  node: checkNode,
  docker: checkDocker,
  curl: checkCurl,
  kubectl: checkKubectl,
  '.ci/run': (words) => {
    accessSync(join(checkout, '.ci/run'), constants.X_OK);
    return rightIf(words.length === 1, '.ci/run takes nothing');
  },
  java: (words) =>
    rightIf(
      words.includes('org.apache.kafka.tools.DeleteRecordsCommand'),
      'no rule knows this class',
    ),
};

/** Programs that every system has, used with the others. */
const shell = /^(cat|cmp|done|echo|for|grep|head|ls|openssl|printf|sed|tee)$/;

/** True when a text begins as a command that a rule checks. */
export function isCommand(text: string): boolean {
  const [first = ''] = text.replace(/^(\w+=\S+ )+/, '').split(/\s/, 1);
  return Object.hasOwn(rules, first);
}

/** Checks one command by the rule of its first word. */
export function checkWords(words: readonly string[], isMention: boolean): Checked {
  const [first = ''] = words;
  if (words.length === 0 || shell.test(first)) return right;
  const rule = Object.hasOwn(rules, first) ? rules[first] : undefined;
  return (
    rule?.(words, isMention, (inner) => checkWords(inner, isMention)) ??
    wrong(`no rule knows the command "${first}": add one to test/docs/command-rules.ts`)
  );
}

const sources = listFiles('*.ts', '*.mjs', '*.sh', '*.yml', ':!test/docs');

/** undefined when something reads the variable. */
export function problemOfVariable(name: string): string | undefined {
  const isRead = sources.some((file) => new RegExp(`\\b${name}\\b`).test(readText(file)));
  return isRead ? undefined : `nothing reads the variable ${name}`;
}
