import { setFailpoint } from '@board/service/testing';

// order-service as a process that SIGKILL ends at a failpoint: armed here, then the shipped entry
// runs.
const [place] = process.argv.slice(2);
if (place === undefined) throw new Error('name the failpoint: main-killed-at.ts <failpoint>');
setFailpoint(place, () => process.kill(process.pid, 'SIGKILL'));
await import('../../src/main.ts');
