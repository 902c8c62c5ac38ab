import { answersCorruptions } from './corrupt-answers.ts';
import { boardsCorruptions } from './corrupt-boards.ts';
import { catalogCorruptions } from './corrupt-catalog.ts';
import { commandsCorruptions } from './corrupt-commands.ts';
import { deadLettersCorruptions } from './corrupt-dead-letters.ts';
import { quietCorruptions } from './corrupt-quiet.ts';
import { topicCorruptions } from './corrupt-topic.ts';
import type { Corruption } from './corrupt.ts';

/** Everything that can go wrong in a run which was good, by the rule that it breaks. */
export const corruptions: readonly Corruption[] = [
  ...commandsCorruptions,
  ...answersCorruptions,
  ...boardsCorruptions,
  ...topicCorruptions,
  ...catalogCorruptions,
  ...deadLettersCorruptions,
  ...quietCorruptions,
];
