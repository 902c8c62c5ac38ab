export { addressesOf, type StackAddresses } from './stack-addresses.ts';
export { startTcpProxy, type Fault, type TcpProxy } from './tcp-proxy.ts';
export { createTestSchema, uniqueName, type TestSchema } from './test-schema.ts';
export { databaseEnvironment } from './database-environment.ts';
export { spawnService, type SpawnedService } from './spawn-service.ts';
export { waitUntil } from './wait-until.ts';
export { postBoard, type PostedBoard } from './post-board.ts';
export { readTopic, type TopicRecord } from './read-topic.ts';
export { openBoardWriter, type BoardWriter } from './write-boards.ts';
