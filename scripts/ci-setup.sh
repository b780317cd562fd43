#!/usr/bin/env bash
# Installs from apt what makes the tests stronger, where this machine lets us: a full Chromium, the same as a mere shell
# that takes half the time, and bubblewrap for process isolation. Never needed for a result: without them the tests use
# what comes from the registry.
set -euo pipefail

missing=()
command -v chromium > /dev/null || command -v google-chrome > /dev/null || missing+=(chromium)
command -v chromium-headless-shell > /dev/null || missing+=(chromium-headless-shell)
command -v bwrap > /dev/null || missing+=(bubblewrap)

if [[ ${#missing[@]} -eq 0 ]] || [[ "$(id -u)" -ne 0 ]] || ! command -v apt-get > /dev/null; then exit 0; fi

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
echo "Installing ${missing[*]} ..."
apt-get update -qq < /dev/null > "$log" 2>&1 || true
# One by one: not every system has all of them.
for package in "${missing[@]}"; do
  apt-get install -y -qq --no-install-recommends "$package" < /dev/null > "$log" 2>&1 && continue
  tail -n 5 "$log" >&2
  echo "$package could not be installed; the tests go on without." >&2
done
