import { CreateBoardAndOutbox1764000000000 } from './migrations/create-board-and-outbox.ts';

/** In the order in which they run. */
export const migrations = [CreateBoardAndOutbox1764000000000];
