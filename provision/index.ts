export { provisionVariables, type ProvisionConfig } from './config.ts';
export { loopbackHost, mysqlUsers, type UserPasswords } from './mysql-users.ts';
export { runStep } from './run-step.ts';
export { provisionSteps, type ProvisionTools } from './steps.ts';
