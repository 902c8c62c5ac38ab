import { setTimeout as wait } from 'node:timers/promises';
import { openNetwork } from './network.ts';

// Started beside the hosts by the process that has made them: removes them when that one was
// killed.
const owner = Number(process.argv[2]);
while (process.ppid === owner) await wait(500);
await openNetwork(owner).remove();
