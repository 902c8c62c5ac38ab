export { ask, askJson, type Answer, type Question } from './ask.ts';
