#!/bin/bash
# Starts ZooKeeper in a container, with the image of the brokers that were tested with it.
set -eu
settings=$(cd "$(dirname "$0")" && pwd)
config=${TMPDIR:-/tmp}/zookeeper.properties
PATH="$PATH:/opt/kafka/bin"

{
  cat "$settings/zookeeper.properties"
  echo "dataDir=/var/lib/kafka/data"
  echo "clientPort=2181"
} > "$config"
export EXTRA_ARGS="-name zookeeper"
export KAFKA_LOG4J_OPTS="-Dlog4j.configuration=file:$settings/../kafka/log4j.properties"
exec zookeeper-server-start.sh "$config"
