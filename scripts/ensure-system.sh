#!/bin/sh
# Before `npm test`: Debian packages that tests need. Installs what is missing when it can, says
# loudly what it could not, and fails then under CI: a suite that skips there proves nothing.
set -eu

# One "command:package" each, separated by spaces. Debian has PostgreSQL's server off the PATH.
REQUIRED="redis-server:redis-server postgres:postgresql chromium:chromium"
PATH=$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')
# Tests that need these skip with a reason when they are absent; never installed from here.
# The Flask backend of the OLA integration examples: python3 with flask.
OPTIONAL="python3:python3"

say() { echo "ensure-system: $*" >&2; }

missing_of() {
  missing=
  for need in $1; do
    command -v "${need%%:*}" >/dev/null 2>&1 || missing="${missing:+$missing }${need##*:}"
  done
  echo "$missing"
}

stop_or_skip() {
  say "NOT INSTALLED: $1 ($2). Tests that need it cannot run."
  if [ -n "${CI:-}" ]; then exit 1; fi
  exit 0
}

# Empty for root, sudo where it asks no password; fails where neither is to be had.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then return 0; fi
  command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null || return 1
  echo "sudo -n"
}

absent=$(missing_of "$OPTIONAL")
if [ -n "$absent" ]; then say "absent, tests that use it will skip: $absent"; fi

missing=$(missing_of "$REQUIRED")
if [ -z "$missing" ]; then exit 0; fi

command -v apt-get >/dev/null 2>&1 || stop_or_skip "$missing" "no apt-get here"
sudo=$(as_root) || stop_or_skip "$missing" "not root, and sudo asks a password"

say "installing with apt-get, this may take minutes: $missing"
log=$(mktemp)
# shellcheck disable=SC2086 # lists of words on purpose
if $sudo apt-get update -qq </dev/null >"$log" 2>&1 &&
  $sudo env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $missing </dev/null >>"$log" 2>&1; then
  rm -f "$log"
else
  tail -n 20 "$log" >&2
  rm -f "$log"
  stop_or_skip "$missing" "apt-get failed; its last lines are above"
fi

missing=$(missing_of "$REQUIRED")
if [ -n "$missing" ]; then stop_or_skip "$missing" "installed, but the command is not there"; fi
