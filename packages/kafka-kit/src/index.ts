export { assertTopics } from './assert-topics.ts';
export { connectKafka } from './connect-kafka.ts';
export { openAdmin } from './open-admin.ts';
