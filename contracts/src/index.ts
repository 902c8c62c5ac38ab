export * from './all-topics.ts';
export * from './events.ts';
export * from './consumers.ts';
export * from './headers.ts';
export * from './schemas.ts';
export * from './topics.ts';
