export * from './definitions.ts';
export * from './pipeline.ts';
export * from './relay.ts';
