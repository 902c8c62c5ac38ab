import { expect, test } from 'vitest';
import {
  chooseJava,
  fitsJava,
  fitsMysql,
  parseJavaVersion,
  parseMysqlVersion,
} from './find-programs.ts';

test.each([
  ['mysqld  Ver 9.7.4 for Linux on x86_64 (MySQL Community Server - GPL)', true],
  ['mysqld  Ver 8.4.0-0ubuntu1 for Linux on x86_64 ((Ubuntu))', true],
  ['mysqld  Ver 8.0.36 for Linux on x86_64', false],
  ['mysqld  Ver 5.7.44 for Linux', false],
])('%s fits: %s', (output, fits) => {
  const version = parseMysqlVersion(output);
  expect(version !== undefined && fitsMysql(version)).toBe(fits);
});

test('MariaDB is not MySQL, whatever its number', () => {
  expect(parseMysqlVersion('mysqld  Ver 11.8.2-MariaDB for debian-linux-gnu')).toBeUndefined();
});

test.each([
  ['openjdk version "25.0.3" 2026-04-21 LTS', 25, true],
  ['openjdk version "25" 2025-09-16', 25, true],
  ['openjdk version "21.0.7" 2025-04-15', 21, true],
  ['openjdk version "17.0.15" 2025-04-15', 17, false],
  ['java version "1.8.0_402"', 1, false],
])('%s is Java %i, good enough: %s', (output, major, fits) => {
  const version = parseJavaVersion(output);
  expect(version?.major).toBe(major);
  expect(version !== undefined && fitsJava(version)).toBe(fits);
});

test('what is no Java has no version', () => {
  expect(parseJavaVersion('bash: java: command not found')).toBeUndefined();
});

test('Java 25 is preferred, then the newest; one below 21 is never taken', () => {
  const java = (major: number) => ({
    command: [`java${major}`],
    version: { major, minor: 0, text: String(major) },
  });
  expect(chooseJava([java(21), java(26), java(25)])?.command).toEqual(['java25']);
  expect(chooseJava([java(21), java(24), java(17)])?.command).toEqual(['java24']);
  expect(chooseJava([java(17)])).toBeUndefined();
});
