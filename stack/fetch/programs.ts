import type { AotCaches } from './aot-caches.ts';
import type { Jars } from './fetch-jars.ts';
import type { Java } from './find-java.ts';
import type { Mysqld } from './find-mysqld.ts';

/** Everything that the servers are started from. */
export interface Programs {
  readonly java: Java;
  readonly mysqld: Mysqld;
  readonly jars: Jars;
  readonly aot: AotCaches;
}
