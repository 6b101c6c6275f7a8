#!/bin/sh
# A throw-away PostgreSQL server for the tests.
#
#   export WEIGHBRIDGE_TEST_POSTGRES=$(tests/postgres.sh start DIR)
#   tests/postgres.sh restart DIR     crash it and start it again
#   tests/postgres.sh down DIR        crash it
#   tests/postgres.sh up DIR          start it again
#   tests/postgres.sh stop DIR
#
# DIR is made, holds everything, and is removed by `stop`. The server listens on a socket in DIR
# only. It refuses to run as root; started by root, it runs as the user `postgres`.
set -eu

usage() {
    echo "usage: tests/postgres.sh start|restart|down|up|stop DIR" >&2
    exit 2
}

[ $# -eq 2 ] || usage

# where Debian keeps the server's programs, newest version first; elsewhere they are on the path
programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV | head -n 1)
PATH="${programs:+$programs:}$PATH"

as_server() {
    if [ "$(id -u)" -eq 0 ]; then
        su postgres -s /bin/sh -c "PATH='$PATH' $1"
    else
        sh -c "$1"
    fi
}

up() {
    # a server that forgets when the machine falls over, and is fast for it
    options="-c listen_addresses= -k $1 -c fsync=off -c synchronous_commit=off"
    as_server "pg_ctl -D '$1/data' -l '$1/data/server.log' -w -o '$options' start" \
        >>"$1/log" 2>&1 || { cat "$1/log" "$1/data/server.log" >&2; exit 1; }
}

case $1 in
start)
    mkdir -p "$2"
    dir=$(cd "$2" && pwd)
    [ "$(id -u)" -ne 0 ] || chown postgres "$dir"
    as_server "initdb -D '$dir/data' -U weighbridge -A trust -E UTF8 --no-sync" >"$dir/log" 2>&1 ||
        { cat "$dir/log" >&2; exit 1; }
    up "$dir"
    echo "postgresql+psycopg://weighbridge@/postgres?host=$dir"
    ;;
restart)
    dir=$(cd "$2" && pwd)
    # it starts with the options that it was started with
    as_server "pg_ctl -D '$dir/data' -l '$dir/data/server.log' -w -m immediate restart" \
        >>"$dir/log" 2>&1 || { cat "$dir/log" "$dir/data/server.log" >&2; exit 1; }
    ;;
down)
    dir=$(cd "$2" && pwd)
    as_server "pg_ctl -D '$dir/data' -w -m immediate stop" >/dev/null
    ;;
up)
    up "$(cd "$2" && pwd)"
    ;;
stop)
    dir=$(cd "$2" && pwd)
    as_server "pg_ctl -D '$dir/data' -w -m immediate stop" >/dev/null
    rm -rf "$dir/data" "$dir/log"
    rmdir "$dir"
    ;;
*)
    usage
    ;;
esac
