export {
  allReceived,
  createThing,
  editThing,
  openOutboxLab,
  type OutboxLab,
} from './outbox-lab.ts';
