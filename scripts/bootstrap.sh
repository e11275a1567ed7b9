#!/usr/bin/env bash
# Makes a fresh machine ready: npm packages (with Node 24 among them) and redis-server. Idempotent; a second run takes no time.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$*" >&2; }

command -v npm >/dev/null || { say "npm is missing: install Node.js 20 or later with npm."; exit 1; }

stamp=node_modules/.poolstream-stamp
sum=$(sha256sum package-lock.json | cut -d' ' -f1)
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$sum" ]; then
  say "installing npm packages (npm ci)"
  npm ci --no-audit --no-fund --loglevel=error
  printf '%s' "$sum" >"$stamp"
fi

if ! command -v redis-server >/dev/null && [ -z "${REDIS_URL:-}" ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "redis-server is missing: install the package redis-server, or set REDIS_URL."
    exit 1
  fi
  say "installing redis-server (apt-get)"
  apt-get update -qq
  # The package would start a server of its own on the default port; tests and demo start theirs.
  policy=/usr/sbin/policy-rc.d
  [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; trap 'rm -f "$policy"' EXIT; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq redis-server >/dev/null
fi
