import { resolve } from 'node:path';
import type { Instance } from '../instance/instance.ts';
import { writeFile } from '../instance/write-file.ts';
import { fileUrl } from './file-url.ts';
import { properties } from './properties.ts';

/** The same for ZooKeeper and the older brokers, whose log4j reads another format: see `log4j.ts`. */
export function reload4jOption(instance: Instance): string {
  const file = resolve(instance.configDir, 'reload4j.properties');
  writeFile(
    file,
    properties({
      'log4j.rootLogger': 'INFO, out',
      'log4j.appender.out': 'org.apache.log4j.ConsoleAppender',
      'log4j.appender.out.layout': 'org.apache.log4j.PatternLayout',
      'log4j.appender.out.layout.ConversionPattern': '%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %c{1} - %m%n',
      // This prints a page of settings at each start.
      'log4j.logger.kafka.server.KafkaConfig': 'WARN',
    }),
  );
  return `-Dlog4j.configuration=${fileUrl(file)}`;
}
