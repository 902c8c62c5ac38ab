import { execFile } from 'node:child_process';

/** Major and minor number of a program. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly text: string;
}

/** MySQL 8.4 or 9.x; MariaDB and MySQL 8.0 lack what the pipeline needs. */
export function parseMysqlVersion(output: string): Version | undefined {
  return /mariadb/i.test(output) ? undefined : parse(/Ver (\d+)\.(\d+)(\S*)/.exec(output));
}

/** `-version` says `openjdk version "25.0.3" ...`; Java 8 would say `1.8`. */
export function parseJavaVersion(output: string): Version | undefined {
  return parse(/version "(\d+)(?:\.(\d+))?([^"]*)"/.exec(output));
}

export function fitsMysql(version: Version): boolean {
  return version.major === 9 || (version.major === 8 && version.minor >= 4);
}

/** The registry needs 21. */
export function fitsJava(version: Version): boolean {
  return version.major >= 21;
}

/** What the program prints on both outputs; empty when it cannot run. */
export function readOutput(command: readonly string[], args: readonly string[]): Promise<string> {
  const [file = '', ...first] = command;
  return new Promise((resolve) => {
    execFile(file, [...first, ...args], { timeout: 20_000 }, (_error, out, err) => resolve(`${out}${err}`));
  });
}

function parse(match: RegExpExecArray | null): Version | undefined {
  if (match === null) return undefined;
  const [, major = '0', minor = '0', rest = ''] = match;
  return {
    major: Number(major),
    minor: Number(minor),
    text: match[2] === undefined ? `${major}${rest}` : `${major}.${minor}${rest}`,
  };
}
