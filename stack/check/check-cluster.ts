import { clusterTitles, describeOtherCluster, readCluster, type Cluster } from '../instance/cluster.ts';
import type { Instance } from '../instance/instance.ts';
import type { Finding } from './checks.ts';

/** The cluster's flavour: free to choose, or fixed by the data of the instance. */
export function checkCluster(instance: Instance, wanted: Cluster | undefined): Finding {
  const found = readCluster(instance);
  if (found !== undefined && wanted !== undefined && found !== wanted) {
    const { problem, fix } = describeOtherCluster(instance, found, wanted);
    return { name: 'cluster', status: 'missing', detail: problem, fix };
  }
  const detail =
    found === undefined
      ? `${clusterTitles[wanted ?? 'kraft']}, no data yet`
      : `${clusterTitles[found]}, as the data of "${instance.name}" has it`;
  return { name: 'cluster', status: 'ok', detail };
}
