export { provisionVariables, type ProvisionConfig } from './config.ts';
export { loopbackHost, mysqlUsers, type UserPasswords } from './mysql-users.ts';
export { provisionSteps, runStep, type ProvisionTools } from './steps.ts';
