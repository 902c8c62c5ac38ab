export { frame, readFrame, schemaIdOf, type Frame } from './framing.ts';
export {
  createRegistryClient,
  registryCodes,
  type RegistryAnswer,
  type RegistryClient,
} from './registry-client.ts';
