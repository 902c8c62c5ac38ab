/** True when Java and MySQL are to be the fetched ones, whatever the machine has. */
export function isHermetic(): boolean {
  return process.env['STACK_HERMETIC'] === '1';
}
