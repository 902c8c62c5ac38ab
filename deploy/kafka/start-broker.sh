#!/bin/bash
# Starts a broker of the flavour $1 (kraft, zookeeper) with the rest as its command (the image's own when there is none),
# unless the volume was written by the other flavour: neither can read the other's data.
set -eu
flavour=$1
shift
meta="${KAFKA_LOG_DIRS:-/var/lib/kafka/data}/meta.properties"
if [ -e "$meta" ]; then
  # Only KRaft numbers its nodes, only ZooKeeper its brokers.
  if grep -q '^node.id=' "$meta"; then writer=kraft; else writer=zookeeper; fi
  if [ "$writer" != "$flavour" ]; then
    echo "This broker's volume was written by the $writer flavour, and $flavour cannot read it: start the $writer flavour, or delete its data with \"docker compose down -v\" (with the same -f options)." >&2
    exit 1
  fi
fi
if [ $# -eq 0 ]; then set -- /etc/kafka/docker/run; fi
exec "$@"
