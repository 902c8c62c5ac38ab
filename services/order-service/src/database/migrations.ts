import { CreateBoardAndOutbox1764000000000 } from './migrations/create-board-and-outbox.ts';
import { CreateEventSchema1764200000000 } from './migrations/create-event-schema.ts';
import { CreateIdempotencyKeys1764100000000 } from './migrations/create-idempotency-keys.ts';
import { IndexLiveBoards1764410000000 } from './migrations/index-live-boards.ts';

/** In the order in which they run. */
export const migrations = [
  CreateBoardAndOutbox1764000000000,
  CreateIdempotencyKeys1764100000000,
  CreateEventSchema1764200000000,
  IndexLiveBoards1764410000000,
];
