#!/bin/bash
# Starts the broker $BROKER_ID of the flavour $1 (kraft, zookeeper) in a container, unless its volume was written by the
# other flavour: neither can read the other's data. Its settings are the files beside this one and what is added here.
set -eu
flavour=$1
settings=$(cd "$(dirname "$0")" && pwd)
data=${DATA_DIR:-/var/lib/kafka/data}
config=${TMPDIR:-/tmp}/broker.properties
PATH="$PATH:/opt/kafka/bin"

if [ -e "$data/meta.properties" ]; then
  # Only KRaft numbers its nodes, only ZooKeeper its brokers.
  if grep -q '^node.id=' "$data/meta.properties"; then writer=kraft; else writer=zookeeper; fi
  if [ "$writer" != "$flavour" ]; then
    echo "This broker's volume was written by the $writer flavour, and $flavour cannot read it: start the $writer flavour, or delete its data with \"docker compose down -v\" (with the same -f options)." >&2
    exit 1
  fi
fi

# Containers come by one address, programs of this machine by another.
listeners="BROKER://:9092,HOST://:19092"
protocols="BROKER:PLAINTEXT,HOST:PLAINTEXT"
{
  cat "$settings/broker.properties" "$settings/broker-$flavour.properties"
  echo "log.dirs=$data"
  echo "advertised.listeners=BROKER://kafka-$BROKER_ID:9092,HOST://127.0.0.1:$HOST_PORT"
  if [ "$flavour" = kraft ]; then
    echo "node.id=$BROKER_ID"
    echo "controller.quorum.voters=1@kafka-1:9093,2@kafka-2:9093,3@kafka-3:9093"
    echo "listeners=$listeners,CONTROLLER://:9093"
    echo "listener.security.protocol.map=$protocols,CONTROLLER:PLAINTEXT"
  else
    echo "broker.id=$BROKER_ID"
    echo "zookeeper.connect=zookeeper:2181"
    echo "listeners=$listeners"
    echo "listener.security.protocol.map=$protocols"
  fi
} > "$config"

# To standard output only: the image's own log files would grow in the container.
export EXTRA_ARGS="-name kafkaServer"
if [ "$flavour" = kraft ]; then
  export KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=file:$settings/log4j2.properties"
  # One id for the three nodes, always the same: a volume keeps the one that it was made with.
  kafka-storage.sh format --ignore-formatted --cluster-id AUJvYXJkUGlwZWxpbmUwMQ --config "$config"
else
  export KAFKA_LOG4J_OPTS="-Dlog4j.configuration=file:$settings/log4j.properties"
fi
exec kafka-server-start.sh "$config"
