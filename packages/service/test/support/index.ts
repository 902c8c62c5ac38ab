export { setFailpoint } from '../../src/process/failpoint.ts';
export { ask, askJson, type Answer, type Question } from './ask.ts';
