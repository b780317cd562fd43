#!/usr/bin/env bash
# Installs from apt what makes the tests stronger, where this machine lets us: a full Chromium, the same as a mere shell
# that takes half the time, bubblewrap for process isolation, Caddy and nginx as reverse proxies, and a Postgres with the
# pg_dump of its version. Without them the tests use what comes from the registry, or skip a case, which CI refuses.
set -euo pipefail

missing=()
command -v chromium > /dev/null || command -v google-chrome > /dev/null || missing+=(chromium)
command -v chromium-headless-shell > /dev/null || missing+=(chromium-headless-shell)
command -v bwrap > /dev/null || missing+=(bubblewrap)
command -v caddy > /dev/null || missing+=(caddy)
[[ -x /usr/sbin/nginx ]] || command -v nginx > /dev/null || missing+=(nginx)
compgen -G '/usr/lib/postgresql/*/bin/pg_dump' > /dev/null && compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null || missing+=(postgresql-common postgresql)

if [[ ${#missing[@]} -eq 0 ]] || [[ "$(id -u)" -ne 0 ]] || ! command -v apt-get > /dev/null; then exit 0; fi

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
echo "Installing ${missing[*]} ..."
apt-get update -qq < /dev/null > "$log" 2>&1 || true
# One by one: not every system has all of them.
for package in "${missing[@]}"; do
  if apt-get install -y -qq --no-install-recommends "$package" < /dev/null > "$log" 2>&1; then
    # The tests start servers of their own: none of the system is made, so none is started.
    [[ "$package" == postgresql-common ]] && sed -ri 's/^#?\s*create_main_cluster\b.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
    continue
  fi
  tail -n 5 "$log" >&2
  echo "$package could not be installed; the tests go on without." >&2
done
