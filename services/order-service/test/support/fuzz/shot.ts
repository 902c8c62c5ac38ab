import type { Sent } from './to-bytes.ts';
import type { World } from './world.ts';

/** A request that is drawn; what it refers to is known when it is sent. */
export interface Shot {
  readonly aim: (world: World) => Sent;
  /** Nothing about it is wrong on purpose. */
  readonly isFit: boolean;
  /** Sizes of its chunks; undefined: one piece with its Content-Length. */
  readonly chunks?: readonly number[] | undefined;
}
