export interface Alarm {
  readonly reason: string;
  readonly since: Date;
}

export interface Alarms {
  /** A human is needed; raising a known key again renews the reason and keeps `since`. */
  raise(key: string, reason: string): void;
  clear(key: string): void;
  active(): ReadonlyMap<string, Alarm>;
}

export function createAlarms(now: () => Date = () => new Date()): Alarms {
  const alarms = new Map<string, Alarm>();
  return {
    raise: (key, reason) => void alarms.set(key, { reason, since: alarms.get(key)?.since ?? now() }),
    clear: (key) => void alarms.delete(key),
    active: () => alarms,
  };
}
