#!/bin/sh
# Before `npm start` and `npm test`: node_modules agrees with package-lock.json and holds a Node
# that runs TypeScript. Does nothing, and needs no network, when that is so already.
set -eu

NODE_MAJOR_MIN=24
# What package-lock.json was when it was installed last; a checkout changes times, not content.
STAMP=node_modules/.dialyard-lock.json

cd "$(dirname -- "$0")/.."

say() { echo "ensure-install: $*" >&2; }

is_installed() {
  [ -f node_modules/.package-lock.json ] || return 1
  if [ ! -f package-lock.json ]; then return 0; fi
  if [ -f "$STAMP" ]; then cmp -s package-lock.json "$STAMP" && return 0; fi
  # Installed by hand: npm writes its own lock file last.
  [ ! package-lock.json -nt node_modules/.package-lock.json ]
}

# The Node that npm scripts find first is node_modules/.bin/node. npm must not run on it while it
# replaces node_modules.
path_without_bins() {
  kept=
  rest=$PATH:
  while [ -n "$rest" ]; do
    entry=${rest%%:*}
    rest=${rest#*:}
    case $entry in
      */node_modules/.bin | */node-gyp-bin) ;;
      *) kept=${kept:+$kept:}$entry ;;
    esac
  done
  echo "$kept"
}

run_npm() { PATH=$outer_path npm "$@" --include=dev --no-audit --no-fund --loglevel=error </dev/null >&2; }

install_packages() {
  say "installing packages"
  if [ -f package-lock.json ] && run_npm ci; then return 0; fi
  if [ -n "${CI:-}" ] && [ -f package-lock.json ]; then
    say "'npm ci' failed; see above. Under CI the lock file is not rewritten to get past it."
    return 1
  fi
  say "'npm ci' failed; trying 'npm install', which may change package-lock.json"
  run_npm install && return 0
  say "'npm install' failed; see above. The first start needs the package registry."
  return 1
}

has_node() {
  version=$(PATH=$PWD/node_modules/.bin:$outer_path node --version 2>/dev/null) || return 1
  major=${version#v}
  major=${major%%.*}
  [ "$major" -ge "$NODE_MAJOR_MIN" ] 2>/dev/null
}

# The package `node` fetches its binary in an install script. Where npm was told to run none
# (--ignore-scripts, or a policy that package.json's allowScripts does not reach), we run it.
repair_node() {
  [ -f node_modules/node/installArchSpecificPackage.js ] || return 1
  say "npm did not run the install script of the package 'node'; running it"
  (
    PATH=$outer_path
    export PATH
    cd node_modules/node
    npm_config_ignore_scripts=true node installArchSpecificPackage.js </dev/null >&2
  ) || return 1
  mkdir -p node_modules/.bin
  ln -sf ../node/bin/node node_modules/.bin/node
}

outer_path=$(path_without_bins)

if ! is_installed; then
  install_packages
  if [ -f package-lock.json ]; then cp package-lock.json "$STAMP"; fi
fi

if ! has_node && ! { repair_node && has_node; }; then
  say "no Node $NODE_MAJOR_MIN or newer: $(PATH=$outer_path node --version 2>/dev/null || echo none)" \
    "on the PATH, and node_modules/.bin/node is missing or does not run."
  say "Install Node $NODE_MAJOR_MIN, or remove node_modules and run 'npm ci' with install scripts on."
  exit 1
fi
