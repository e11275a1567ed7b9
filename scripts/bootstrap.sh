#!/usr/bin/env bash
# Makes a fresh machine ready: npm packages (Node 24 is one of them) and redis-server. Says what it installs; a second run
# changes nothing and takes no time. The control plane is built elsewhere (test/cluster/build.ts).
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

npm_packages() {
  command -v npm >/dev/null || die "npm is missing: install Node.js 20 or later with npm."
  # A stamp and not the age of files: a checkout gives every file a new one.
  local stamp=node_modules/.poolstream-stamp sum
  sum=$(sha256sum package-lock.json | cut -d' ' -f1)
  [ "$(cat "$stamp" 2>/dev/null || true)" != "$sum" ] || return 0
  say "installing npm packages (npm ci)"
  npm ci --no-audit --no-fund --loglevel=error >&2 || die "npm ci failed; the lines above say why."
  printf '%s' "$sum" >"$stamp"
}

node_version() {
  # The package of Node 24 exists for Linux on x64; elsewhere it has to be on PATH.
  local major
  major=$(PATH="$PWD/node_modules/.bin:$PATH" node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
  [ "$major" -ge 24 ] || die "Node.js 24 or later is needed: install it and put it on PATH."
}

redis_server() {
  if [ -n "${REDIS_URL:-}" ] || command -v redis-server >/dev/null; then return 0; fi
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    die "redis-server is missing: install the package redis-server, or set REDIS_URL."
  fi
  say "installing redis-server (apt-get)"
  # The package starts a server on the default port; tests and demo start servers of their own. Where a policy is there
  # already, it stays, and the service is stopped below.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  apt-get update -qq >&2 || say "apt-get update failed; trying with the package lists that are there"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=60 redis-server >/dev/null \
    || die "apt-get could not install redis-server: install it by hand, or set REDIS_URL."
  if command -v systemctl >/dev/null; then systemctl disable --now redis-server >/dev/null 2>&1 || true; fi
}

npm_packages
node_version
redis_server
