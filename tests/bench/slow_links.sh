#!/usr/bin/env bash
# What large appends cost where the links between nodes are slow: three nodes, each in a network namespace of its own
# behind an interface of a given rate, all appends through the first one. Needs root.
#
#   tests/bench/slow_links.sh [BUILD-DIRECTORY] [SECONDS] [BYTES] [CONNECTIONS]
#
# Give it a build of node_runtime and http_load (default: build/release), seconds for each figure (default: 6), the bytes of
# a value (default: 500000), and how many clients append at once (default: 4). PROTOCOLS, RATES and POLICIES choose
# others. "copies" are bytes that left all interfaces, per byte appended; n - 1 = 2 are needed, and with round_robin
# another one for two of three appends.
set -euo pipefail
cd "$(dirname "$0")/../.."
built=$(realpath -- "${1:-build/release}")
seconds=${2:-6} bytes=${3:-500000} connections=${4:-4}
read -ra protocols <<<"${PROTOCOLS:-mencius paxos}"
read -ra rates <<<"${RATES:-1000 100 10}"
read -ra policies <<<"${POLICIES:-local round_robin}"
node=$built/runtime/node_runtime
load=$built/tests/bench/http_load
for program in "$node" "$load"; do
  [[ -x $program ]] || { echo "slow_links.sh: $program is not built" >&2; exit 2; }
done
((EUID == 0)) || { echo "slow_links.sh: network namespaces need root" >&2; exit 2; }

scratch=$(mktemp -d)
space=quorate$$
nodes=()
stop_nodes() {
  for pid in "${nodes[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${nodes[@]}"; do wait "$pid" 2>/dev/null || true; done
  nodes=()
}
finish() {
  stop_nodes
  for i in 0 1 2 3; do ip netns del "$space-$i" 2>/dev/null || true; done
  rm -rf "$scratch"
}
trap finish EXIT

ip netns add "$space-0"
ip -n "$space-0" link add bridge0 type bridge
ip -n "$space-0" link set bridge0 up
for i in 1 2 3; do
  ip netns add "$space-$i"
  ip link add eth0 netns "$space-$i" type veth peer name "port$i" netns "$space-0"
  ip -n "$space-$i" link set lo up
  ip -n "$space-$i" link set eth0 up
  ip -n "$space-$i" addr add "10.99.0.$i/24" dev eth0
  ip -n "$space-0" link set "port$i" master bridge0 up
  ip netns exec "$space-$i" ethtool -K eth0 tso off gso off >/dev/null 2>&1 || true
done

sent() { ip netns exec "$space-$1" cat /sys/class/net/eth0/statistics/tx_bytes 2>/dev/null ||
  ip -n "$space-$1" -s link show eth0 | awk '/TX/ {getline; print $1}'; }

measure() {
  local protocol=$1 policy=$2 rate=$3 home=$scratch/$1-$2-$3
  mkdir "$home"
  {
    printf 'cluster {\n  name = "slow"\n  protocol = "%s"\n  balancer = "%s"\n  nodes = [\n' "$protocol" "$policy"
    for i in 1 2 3; do
      echo "  { name = \"n$i\", host = \"10.99.0.$i\", port = 25010, http = \"127.0.0.1:25110\" },"
    done
    printf '  ]\n}\n'
  } >"$home/cluster.conf"
  for i in 1 2 3; do
    ip netns exec "$space-$i" tc qdisc replace dev eth0 root handle 1: tbf rate "${rate}mbit" burst 64k limit 1500k
    ip netns exec "$space-$i" "$node" --config-file="$home/cluster.conf" --node="n$i" --data-dir="$home/n$i" \
      --log-level=warn 2>"$home/n$i.log" &
    nodes+=($!)
  done
  for ((i = 0; i < 150; i++)); do
    ip netns exec "$space-1" curl -sf http://127.0.0.1:25110/healthz >/dev/null && break
    sleep 0.2
  done
  ip netns exec "$space-1" curl -sf http://127.0.0.1:25110/healthz >/dev/null || { cat "$home"/*.log >&2; exit 1; }
  sleep 1
  local before=() after=() total=0
  for i in 1 2 3; do before[i]=$(sent "$i"); done
  local said took=${EPOCHREALTIME/[.,]/}
  said=$(ip netns exec "$space-1" "$load" --addresses=127.0.0.1:25110 --connections="$connections" \
    --seconds="$seconds" --bytes="$bytes" || true)
  took=$(((${EPOCHREALTIME/[.,]/} - took) / 1000))
  for i in 1 2 3; do
    after[i]=$(($(sent "$i") - before[i]))
    total=$((total + after[i]))
  done
  local lost
  lost=$(cat "$home"/*.log | grep -c 'lost the connection' || true)
  stop_nodes
  local done_=${said##*acknowledged }
  done_=${done_%%[!0-9]*}
  printf '%-8s %-12s %5s Mbit/s: %s\n' "$protocol" "$policy" "$rate" "$said"
  awk -v n="$done_" -v total="$total" -v bytes="$bytes" -v rate="$rate" -v ms="$took" -v policy="$policy" 'BEGIN {
    needed = policy == "local" ? 2 : 2 + 2 / 3
    first = policy == "local" ? 2 : 2 * 1 / 3 + 2 / 3  # over the interface of the first node
    printf "  %.2f copies of each value were sent, %.2f are needed; ", (n > 0 ? total / n / bytes : 0), needed
    printf "what is needed took %.0f %% of the first link\n", 100 * n * first * bytes * 8 / (rate * 1000 * ms) }'
  ((lost == 0)) || printf '  connections were lost %d times\n' "$lost"
}

for protocol in "${protocols[@]}"; do
  for policy in "${policies[@]}"; do
    for rate in "${rates[@]}"; do measure "$protocol" "$policy" "$rate"; done
  done
done
