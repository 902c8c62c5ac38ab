export { spawnConsumer } from './consumer-process.ts';
export { openInboxLab, type InboxLab } from './inbox-lab.ts';
export { thingLogHandler } from './thing-log.ts';
