import { commentsConsumer } from '@board/contracts';
import { runConsumerService } from '@board/inbox';
import { commentHandler } from './application/comment-handler.ts';
import { commentWriter, createCommentReader } from './database/comment-tables.ts';
import { commentsRouter } from './http/comments-router.ts';

await runConsumerService({
  consumer: commentsConsumer,
  handler: commentHandler(commentWriter),
  entities: [],
  routers: (reads) => [commentsRouter(createCommentReader(reads))],
});
