import { expect, it } from 'vitest';
import { provisionSteps } from './steps.ts';

const servers = ['mysql', 'kafka', 'registry', 'connect'];

it('each step needs servers and steps BEFORE it only, so that one after the other is an order too', () => {
  const done = new Set(servers);
  for (const { name, needs } of provisionSteps) {
    expect(needs.filter((need) => !done.has(need))).toEqual([]);
    expect(done.has(name)).toBe(false);
    done.add(name);
  }
});
