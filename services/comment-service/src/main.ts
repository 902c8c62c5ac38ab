import { commentsConsumer } from '@board/contracts';
import { runConsumerService } from '@board/inbox';
import { commentHandler } from './application/comment-handler.ts';
import { commentsRouter } from './http/comments-router.ts';

await runConsumerService({
  consumer: commentsConsumer,
  handler: commentHandler,
  entities: [],
  routers: (reads) => [commentsRouter(reads)],
});
