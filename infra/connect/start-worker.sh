#!/bin/bash
# Starts Kafka Connect in a container. Its settings are the file beside this one and what is added here: the image's own
# way, a variable for each, would repeat them all.
set -eu
settings=$(cd "$(dirname "$0")" && pwd)
config=${TMPDIR:-/tmp}/worker.properties
PATH="$PATH:/kafka/bin"

{
  cat "$settings/worker.properties"
  echo "bootstrap.servers=$CDC_KAFKA_BROKERS"
  echo "listeners=http://0.0.0.0:8083"
  echo "rest.advertised.host.name=connect"
  # The image sets it.
  echo "plugin.path=$CONNECT_PLUGIN_PATH"
} > "$config"
# The connector's JSON names ${env:CDC_MYSQL_PASSWORD}.
CDC_MYSQL_PASSWORD=$(cat "$CDC_MYSQL_PASSWORD_FILE")
export CDC_MYSQL_PASSWORD
export EXTRA_ARGS="-name connectDistributed"
export KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=file:$settings/../kafka/log4j2.properties"
exec connect-distributed.sh "$config"
