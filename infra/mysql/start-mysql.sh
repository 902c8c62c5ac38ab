#!/bin/bash
# Starts MySQL in a container. The settings are copied, since MySQL passes over a file that everyone may write to, without
# a word of it in its log; a file that is mounted from some systems looks like that.
set -eu
settings=$(cd "$(dirname "$0")" && pwd)

install -m 0644 "$settings/my.cnf" "${MYSQL_CONF_DIR:-/etc/mysql/conf.d}/board.cnf"
exec docker-entrypoint.sh mysqld
