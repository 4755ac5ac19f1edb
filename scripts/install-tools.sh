#!/bin/sh
# Sees to it that tools are there: install-tools.sh [postgres] [systemd-analyze]
#
# Quiet when nothing is to be done. Otherwise, on Debian and Ubuntu:
#   root, or sudo without a password   installs the system's packages
#   anybody else                       unpacks them below ${XDG_CACHE_HOME:-~/.cache}/gatekeeper/tools, touching nothing else
# What was unpacked is described in the file `env` there; scripts/with-tools.sh reads it.
#
# GATEKEEPER_PG_FORCE_LOCAL=1 unpacks even where the system has the tool or could install it (for testing this script).
set -eu

tools=${XDG_CACHE_HOME:-$HOME/.cache}/gatekeeper/tools
force=${GATEKEEPER_PG_FORCE_LOCAL:-}

main() {
  for tool in "$@"; do
    case $tool in
      postgres | systemd-analyze) is_there "$tool" || install "$tool" ;;
      *) fail "unknown tool $tool; known are postgres and systemd-analyze" ;;
    esac
  done
}

is_there() {
  if [ -x "$tools/bin/$1" ]; then
    return 0
  fi
  if [ -n "$force" ]; then
    return 1
  fi
  case $1 in
    postgres) has_server ;;
    systemd-analyze) command -v systemd-analyze >/dev/null 2>&1 ;;
  esac
}

# The same places as in src/store/embedded/binaries.rs.
has_server() {
  for directory in "${GATEKEEPER_PG_BIN:-}" "$(pg_config --bindir 2>/dev/null || true)" $(echo "$PATH" | tr : ' ') \
    /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql*/bin /opt/homebrew/opt/postgresql*/bin \
    /usr/local/opt/postgresql*/bin; do
    if [ -x "$directory/postgres" ] && [ -x "$directory/initdb" ]; then
      major=$("$directory/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
      if [ "${major:-0}" -ge 14 ]; then
        return 0
      fi
    fi
  done
  return 1
}

packages() {
  case $1 in
    postgres) echo postgresql postgresql-client ;;
    systemd-analyze) echo systemd ;;
  esac
}

install() {
  command -v apt-get >/dev/null 2>&1 || fail "$1 is missing, and this is not Debian or Ubuntu. Install it by hand:
  Fedora:  dnf install postgresql-server postgresql-contrib systemd
  macOS:   brew install postgresql@17"
  if [ -z "$force" ] && [ "$(id -u)" = 0 ]; then
    say "installing $1 with apt-get"
    # shellcheck disable=SC2046
    system_install $(packages "$1")
  elif [ -z "$force" ] && sudo -n true 2>/dev/null; then
    say "installing $1 with sudo apt-get"
    # shellcheck disable=SC2046
    system_install $(packages "$1")
  else
    say "unpacking $1 below $tools"
    local_install "$1"
  fi
}

system_install() {
  as_root=
  [ "$(id -u)" = 0 ] || as_root="sudo -n"
  $as_root apt-get -qq update
  # The package may also start a cluster of the system. It is not ours, and not in our way.
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

# apt with its state and its cache in a directory of ours: it resolves and downloads as anybody, and installs nothing.
# What it says is shown only when it fails: the system's own hooks complain that they may not clean the system's cache.
own_apt() {
  apt-get -qq \
    -o Debug::NoLocking=1 -o APT::Sandbox::User= \
    -o Dir::State="$tools/apt/state" -o Dir::State::status=/var/lib/dpkg/status \
    -o Dir::Cache="$tools/apt/cache" -o Dir::Cache::archives="$tools/apt/archives" \
    "$@" >"$tools/apt/said" 2>&1 || fail "apt-get $1 failed: $(cat "$tools/apt/said")"
}

local_install() {
  rm -rf "$tools/apt"
  mkdir -p "$tools/apt/state/lists/partial" "$tools/apt/cache" "$tools/apt/archives/partial" "$tools/root" "$tools/bin"
  own_apt update
  # Which packages carry the tool itself: `postgresql` only names the version that this system has.
  case $1 in
    postgres)
      server=$(own_depends postgresql '^postgresql-[0-9]')
      named="$server postgresql-client-${server#postgresql-} libpq5"
      ;;
    systemd-analyze) named=systemd ;;
  esac
  # With what they need and the system lacks; --reinstall for those that it has.
  # shellcheck disable=SC2086
  own_apt install -y --no-install-recommends --download-only --reinstall $named
  for package in "$tools/apt/archives"/*.deb; do
    dpkg -x "$package" "$tools/root"
  done
  rm -rf "$tools/apt"

  libraries=
  for directory in "$tools"/root/usr/lib/*-linux-gnu* "$tools"/root/lib/*-linux-gnu* "$tools"/root/usr/lib/*-linux-gnu*/systemd; do
    if [ -d "$directory" ]; then
      libraries=${libraries:+$libraries:}$directory
    fi
  done
  case $1 in
    postgres)
      for program in "$tools"/root/usr/lib/postgresql/*/bin/*; do
        wrap "$program" "$libraries"
      done
      ;;
    systemd-analyze) wrap "$tools/root/usr/bin/systemd-analyze" "$libraries" ;;
  esac
  [ -x "$tools/bin/$1" ] || fail "the packages $named do not hold $1"
  write_env
}

own_depends() {
  apt-cache -o Dir::State="$tools/apt/state" -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$tools/apt/cache" \
    depends --no-recommends --no-suggests "$1" | sed -n 's/.*Depends: //p' | grep -m1 -- "$2"
}

# The libraries are for these programs alone: in everybody's environment they could meet the wrong program.
wrap() {
  cat >"$tools/bin/$(basename "$1")" <<SCRIPT
#!/bin/sh
LD_LIBRARY_PATH='$2'\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} exec '$1' "\$@"
SCRIPT
  chmod +x "$tools/bin/$(basename "$1")"
}

write_env() {
  {
    echo "export PATH='$tools/bin':\$PATH"
    if [ -x "$tools/bin/postgres" ]; then
      echo "export GATEKEEPER_PG_BIN='$tools/bin'"
    fi
  } >"$tools/env"
  say "to use them by hand: . $tools/env"
}

say() {
  echo "install-tools: $*" >&2
}

fail() {
  say "$*"
  exit 1
}

main "$@"
