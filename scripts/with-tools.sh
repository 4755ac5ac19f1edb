#!/bin/sh
# Runs a command with tools at hand: with-tools.sh postgres systemd-analyze -- cargo test
set -eu

needed=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  needed="$needed $1"
  shift
done
shift

# shellcheck disable=SC2086
"$(dirname "$0")/install-tools.sh" $needed

env=${XDG_CACHE_HOME:-$HOME/.cache}/gatekeeper/tools/env
if [ -r "$env" ]; then
  # shellcheck disable=SC1090
  . "$env"
fi
exec "$@"
