#!/usr/bin/env bash
# What forwarding adds over HTTP: three nodes on loopback, all appends through the first, once with the policy "local"
# and once with "round_robin", which hands two of three commands to another node.
#
#   tests/bench/forwarding.sh [BUILD-DIRECTORY] [SECONDS]
#
# Give it a build of node_runtime and http_load (default: build/release), and seconds for each figure (default: 5).
set -euo pipefail
cd "$(dirname "$0")/../.."
built=$(realpath -- "${1:-build/release}")
seconds=${2:-5}
node=$built/runtime/node_runtime
load=$built/tests/bench/http_load
for program in "$node" "$load"; do
  [[ -x $program ]] || { echo "forwarding.sh: $program is not built" >&2; exit 2; }
done

scratch=$(mktemp -d)
nodes=()
finish() {
  for pid in "${nodes[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${nodes[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$scratch"
}
trap finish EXIT

# Six ports that nobody listens on now.
ports=()
while ((${#ports[@]} < 6)); do
  port=$((10000 + RANDOM % 20000))
  [[ " ${ports[*]} " == *" $port "* ]] || (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || ports+=("$port")
done
{
  echo 'cluster {'
  echo '  name = "forwarding"'
  echo '  nodes = ['
  for i in 0 1 2; do
    echo "    { name = \"n$((i + 1))\", host = \"127.0.0.1\", port = ${ports[i]}, http = \"127.0.0.1:${ports[i + 3]}\" },"
  done
  echo '  ]'
  echo '}'
} >"$scratch/cluster.conf"
for i in 1 2 3; do
  "$node" --config-file="$scratch/cluster.conf" --node="n$i" --data-dir="$scratch/n$i" --log-level=warn \
    2>"$scratch/n$i.log" &
  nodes+=($!)
done
first=127.0.0.1:${ports[3]}
for ((i = 0; i < 150; i++)); do
  curl -sf "http://$first/healthz" >/dev/null && break
  sleep 0.2
done
curl -sf "http://$first/healthz" >/dev/null || { cat "$scratch"/*.log >&2; exit 1; }

for connections in 1 16 64; do
  for policy in local round_robin local round_robin; do
    curl -sf -X PUT "http://$first/balancer" -d "{\"policy\":\"$policy\"}" >/dev/null
    sleep 1
    printf '%-12s ' "$policy"
    "$load" --addresses="$first" --connections="$connections" --seconds="$seconds"
  done
done
