#!/usr/bin/env bash
# Installs from apt what makes the tests stronger, where this machine lets us: a full Chromium, and bubblewrap for
# process isolation. Never needed for a result: without them the tests use what comes from the registry.
set -euo pipefail

missing=()
command -v chromium > /dev/null || command -v google-chrome > /dev/null || missing+=(chromium)
command -v bwrap > /dev/null || missing+=(bubblewrap)

if [[ ${#missing[@]} -eq 0 ]] || [[ "$(id -u)" -ne 0 ]] || ! command -v apt-get > /dev/null; then exit 0; fi

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
echo "Installing ${missing[*]} ..."
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } < /dev/null > "$log" 2>&1; then
  tail -n 5 "$log" >&2
  echo "${missing[*]} could not be installed; the tests go on without." >&2
fi
