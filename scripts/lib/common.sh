# What every script of this folder needs: where things are, how to speak, how to fail.
# Sourced, not run. Works with the bash 3.2 that macOS has.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LIB=$ROOT/scripts/lib
CACHE=${EMAIL_COURIER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/email-courier}
LOGS=$CACHE/log
mkdir -p "$LOGS"

# Compiled modules are kept, or every start compiles Home Assistant anew; but not in the work tree.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX=$CACHE/pycache

# Progress goes to standard error: several scripts print a path for another to read.
say() { printf '==> %s\n' "$*" >&2; }
note() { printf '    %s\n' "$*" >&2; }

die() {
  printf '\n!!! %s\n' "$1" >&2
  shift
  local line
  for line in "$@"; do printf '    %s\n' "$line" >&2; done
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" -eq 0 ]; }
is_debian() { [ -r /etc/debian_version ] && have apt-get && have dpkg; }

# step NAME ADVICE COMMAND...: run it quietly; where it fails, show the end of what it said.
# The shell does not stop at errors inside a condition, so a function run as a step chains its
# commands with && itself.
step() {
  local name=$1 advice=$2 log
  shift 2
  log=$LOGS/$(printf '%s' "$name" | tr -cs 'A-Za-z0-9.' '-')-$$.log
  say "$name"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    printf '\n' >&2
    tail -n 20 "$log" | sed 's/^/    | /' >&2
    die "This step failed: $name" "$advice" "The whole log: $log"
  fi
  rm -f "$log"
}

# Two runs at once, or two clones, must not build the same thing side by side. Held until exit.
take_lock() {
  if have flock; then
    exec 9>"$CACHE/lock"
    flock -n 9 || { say "Waiting for another run that is setting up"; flock 9; }
    return
  fi
  until mkdir "$CACHE/lock.d" 2>/dev/null; do
    local owner
    owner=$(cat "$CACHE/lock.d/pid" 2>/dev/null || true)
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then rm -rf "$CACHE/lock.d"; continue; fi
    sleep 1
  done
  echo $$ >"$CACHE/lock.d/pid"
  trap 'rm -rf "$CACHE/lock.d"' EXIT
}

# apt_install PACKAGE...: on Debian as root; elsewhere the caller says what is missing.
apt_install() {
  is_debian && is_root || return 1
  local missing="" package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
      missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  export DEBIAN_FRONTEND=noninteractive
  local advice="Run 'apt-get update && apt-get install$missing' by hand and see what it says."
  step "Reading the package lists" "$advice" apt-get update -q
  # shellcheck disable=SC2086
  step "Installing$missing" "$advice" apt-get install -yq --no-install-recommends \
    -o DPkg::Lock::Timeout=120 $missing
}

# Programs that bring no authorities of their own are told where Debian keeps them.
if [ -z "${SSL_CERT_FILE:-}" ] && is_debian; then
  [ -r /etc/ssl/certs/ca-certificates.crt ] || apt_install ca-certificates || true
  [ ! -r /etc/ssl/certs/ca-certificates.crt ] ||
    export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
fi
