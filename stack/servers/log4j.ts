import { resolve } from 'node:path';
import type { Instance } from '../instance/instance.ts';
import { writeFile } from '../instance/write-file.ts';
import { fileUrl } from './file-url.ts';
import { properties } from './properties.ts';

/** Writes the brokers' and Connect's log settings (to standard output, which is the log file) and returns Java's option for it. */
export function log4jOption(instance: Instance): string {
  const file = resolve(instance.configDir, 'log4j2.properties');
  writeFile(
    file,
    properties({
      'appender.out.type': 'Console',
      'appender.out.name': 'out',
      'appender.out.layout.type': 'PatternLayout',
      'appender.out.layout.pattern': '%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %c{1} - %m%n',
      'rootLogger.level': 'INFO',
      'rootLogger.appenderRef.out.ref': 'out',
      // These print a page of settings for each client that Connect opens.
      'logger.config.name': 'org.apache.kafka.common.config.AbstractConfig',
      'logger.config.level': 'WARN',
      'logger.parser.name': 'org.apache.kafka.common.utils.AppInfoParser',
      'logger.parser.level': 'WARN',
      'logger.connect.name': 'org.apache.kafka.connect.runtime.WorkerConfig',
      'logger.connect.level': 'WARN',
    }),
  );
  return `-Dlog4j2.configurationFile=${fileUrl(file)}`;
}
