#!/usr/bin/env bash
# From a fresh clone to a cluster of three processes that has lost one and missed nothing. See --help.
set -euo pipefail
# Paths in the environment are the caller's.
[[ -z "${QUORATE_SPEC:-}" ]] || QUORATE_SPEC=$(realpath -m "$QUORATE_SPEC")
[[ -z "${QUORATE_NODE_RUNTIME:-}" ]] || QUORATE_NODE_RUNTIME=$(realpath -m "$QUORATE_NODE_RUNTIME")
cd "$(dirname "$0")/.."
# EPOCHREALTIME has a decimal point only here.
export LC_ALL=C

usage() {
  cat <<'TEXT'
Usage: samples/quickstart.sh [--keep]

Installs what is missing (cmake/setup.sh), builds node_runtime, and starts the three nodes of
samples/cluster.conf on this machine, on an empty disk. Appends through each of them, reads the log back
from each, kills one while appends go on, restarts it, and shows that it has caught up. Then it stops
what it has started. The first run takes many minutes, for the build; later ones take seconds.

  --keep   leave the three nodes running, and say how to talk to them and how to stop them
  --help   this text

Environment:
  QUORATE_SPEC=FILE           another spec of three nodes, say with other ports
  QUORATE_NODE_RUNTIME=FILE   run this node_runtime; install and build nothing
TEXT
}

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
die() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }

keep=no
while (($#)); do
  case "$1" in
    --keep) keep=yes ;;
    --help | -h) usage; exit 0 ;;
    *) echo "quickstart: unknown option $1 (see --help)" >&2; exit 2 ;;
  esac
  shift
done

readonly spec=${QUORATE_SPEC:-samples/cluster.conf}
declare -A host=() port=() http=() pid=()
nodes=()

# One node stands on one line of the spec.
read_spec() {
  [[ -r "$spec" ]] || die "QUORATE_SPEC names a file that cannot be read: $spec."
  local line key='name = "([^"]+)", host = "([^"]+)", port = ([0-9]+), http = "([^"]+)"'
  while IFS= read -r line; do
    [[ ! "$line" =~ ^[[:space:]]*# && "$line" =~ $key ]] || continue
    nodes+=("${BASH_REMATCH[1]}")
    host[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
    port[${BASH_REMATCH[1]}]=${BASH_REMATCH[3]}
    http[${BASH_REMATCH[1]}]=${BASH_REMATCH[4]}
  done <"$spec"
  ((${#nodes[@]} == 3)) || die "$spec must describe three nodes, each on one line."
}

# --- what must not outlive us -----------------------------------------------------------------------

data=
appenders=()
kept=no

running() { kill -0 "$1" 2>/dev/null; }

stop_all() {
  local p tries=0 left=("${appenders[@]}" "${pid[@]}")
  for p in "${left[@]}"; do kill -TERM "$p" 2>/dev/null || true; done
  for p in "${left[@]}"; do
    while running "$p" && ((tries++ < 100)); do sleep 0.05; done
    running "$p" && kill -KILL "$p" 2>/dev/null
  done
  appenders=()
  pid=()
}

leave() {
  local code=$?
  trap - EXIT INT TERM HUP
  if [[ $kept == no ]]; then
    stop_all
    if [[ -n $data ]]; then
      # Done, or interrupted.
      if ((code == 0 || code > 128)); then
        rm -rf "$data"
      else
        echo "quickstart: The nodes' logs and data are left in $data." >&2
      fi
    fi
  fi
  exit "$code"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# --- the build --------------------------------------------------------------------------------------

# One line every ten seconds says how far the build is.
condense() {
  local line next=10
  SECONDS=0
  while IFS= read -r line; do
    printf '%s\n' "$line" >&3
    if [[ "$line" =~ ^\[([0-9]+)/([0-9]+)\] ]] && ((SECONDS >= next)); then
      say "   step ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}, $SECONDS s"
      next=$((SECONDS + 10))
    fi
  done
}

# A compiler may need 1.5 GB: on a small machine, fewer at once.
jobs() {
  local most kilobytes
  most=$(nproc)
  kilobytes=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
  local fit=$((${kilobytes:-0} / 1500000))
  ((fit >= 1)) || fit=1
  echo $((fit < most ? fit : most))
}

build() {
  step "Installing what is missing, and building"
  say "Debian packages and CAF come first, then node_runtime itself, in build/release."
  # It has said why in one sentence.
  . cmake/setup.sh || exit 1
  mkdir -p build/release
  local log=build/release/quickstart.log
  cmake --preset release >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "CMake could not prepare the build; its last lines are above, the whole is in $log."
  }
  local command=(cmake --build --preset release --target node_runtime -j "$(jobs)")
  if [[ -t 1 ]]; then
    NINJA_STATUS='[%f/%t, %e s] ' "${command[@]}" </dev/null || die "The build has failed; the reason is above."
  else
    NINJA_STATUS='[%f/%t] ' "${command[@]}" </dev/null 2>&1 | condense 3>"$log" || {
      tail -n 30 "$log" >&2
      die "The build has failed; its last lines are above, the whole is in $log."
    }
  fi
  runtime=build/release/runtime/node_runtime
  say "$runtime is up to date."
}

# --- the cluster ------------------------------------------------------------------------------------

refuse_taken_ports() {
  local node address
  for node in "${nodes[@]}"; do
    for address in "${host[$node]}:${port[$node]}" "${http[$node]}"; do
      if (exec 3<>"/dev/tcp/${address%:*}/${address##*:}") 2>/dev/null; then
        die "Port ${address##*:} on ${address%:*} is in use by another program, and $spec needs it for $node."
      fi
    done
  done
}

start() {
  local node=$1
  # A session of its own, so that it can outlive this terminal with --keep.
  setsid "$runtime" --config-file="$spec" --node="$node" --data-dir="$data/$node" \
    </dev/null >>"$data/$node.log" 2>&1 &
  pid[$node]=$!
  # The shell is not to comment on how it ends; it may have ended already.
  disown "$!" 2>/dev/null || true
}

# request <node> <path> [<body>]; prints the answer's body; fails where there is none.
request() {
  local node=$1 path=$2
  shift 2
  local body=()
  (($# == 0)) || body=(--data-raw "$1")
  # A proxy would not reach this machine's loopback.
  curl --silent --noproxy '*' --max-time 15 "${body[@]}" "http://${http[$node]}$path"
}

await_health() {
  local node=$1 tries answer=
  for ((tries = 0; tries < 600; ++tries)); do
    running "${pid[$node]}" || die "$node has stopped: $(tail -n 1 "$data/$node.log")"
    answer=$(request "$node" /healthz) || true
    [[ "$answer" != *'"status":"ok"'* ]] || return 0
    sleep 0.1
  done
  die "$node was not healthy within a minute: ${answer:-no answer}"
}

# The whole log of one node, an entry a line.
read_log() {
  local node=$1 consistency=$2 from=0 page
  while true; do
    page=$(request "$node" "/log?from=$from&limit=1000&consistency=$consistency") || return 1
    [[ "$page" =~ ^'{"entries":['(.*)'],"next":'([0-9]+)',"end":'([0-9]+)'}'$ ]] || return 1
    [[ -z "${BASH_REMATCH[1]}" ]] || sed 's/},{"index"/}\n{"index"/g' <<<"${BASH_REMATCH[1]}"
    from=${BASH_REMATCH[2]}
    ((from < BASH_REMATCH[3])) || return 0
  done
}

append_through_each() {
  step "Appending through each node"
  local node answer body
  for node in "${nodes[@]}"; do
    body="{\"key\":\"greeting\",\"value\":\"hello from $node\"}"
    answer=$(request "$node" /append_log "$body") || die "$node did not answer an append."
    say "   $node  POST /append_log $body"
    say "       $answer"
    [[ "$answer" == *'"status":"success"'* ]] || die "$node did not take an append: $answer"
  done
}

compare_logs() {
  step "Reading the log from each node"
  local node
  for node in "${nodes[@]}"; do
    read_log "$node" linearizable >"$data/$node.entries" || die "$node did not give its log."
  done
  sed 's/^/   /' "$data/${nodes[0]}.entries"
  for node in "${nodes[@]:1}"; do
    cmp -s "$data/${nodes[0]}.entries" "$data/$node.entries" || die "$node and ${nodes[0]} have different logs."
  done
  say "All three nodes give the same $(wc -l <"$data/${nodes[0]}.entries") entries at the same indices."
}

# Appends one entry after another until told to stop; notes when each was acknowledged, and at which index.
keep_appending() {
  local node=$1 count=0 answer
  while [[ ! -e "$data/enough" ]]; do
    count=$((count + 1))
    answer=$(request "$node" /append_log "{\"key\":\"load\",\"value\":\"$node $count\"}") || true
    if [[ "$answer" =~ '"status":"success","index":'([0-9]+) ]]; then
      echo "$EPOCHREALTIME {\"index\":${BASH_REMATCH[1]},\"key\":\"load\",\"value\":\"$node $count\"}"
    else
      echo "${answer:-no answer}" >>"$data/refused"
    fi
  done >"$data/$node.acknowledged"
}

kill_one() {
  local victim=${nodes[1]} others=("${nodes[0]}" "${nodes[2]}") node
  step "Killing $victim while appends go on through ${others[0]} and ${others[1]}"
  for node in "${others[@]}"; do
    keep_appending "$node" &
    appenders+=($!)
    disown "$!" 2>/dev/null || true
  done
  sleep 1
  local died=$EPOCHREALTIME
  kill -KILL "${pid[$victim]}"
  say "$victim (process ${pid[$victim]}) got SIGKILL."
  unset "pid[$victim]"
  sleep 3
  : >"$data/enough"
  local p
  for p in "${appenders[@]}"; do while running "$p"; do sleep 0.02; done; done
  appenders=()

  [[ ! -e "$data/refused" ]] || die "An append through a living node has failed: $(head -n 1 "$data/refused")"
  local files=("$data/${others[0]}.acknowledged" "$data/${others[1]}.acknowledged") figures
  # Each client waits for one answer before it sends the next, so a gap is a wait of that client.
  figures=$(awk -v died="$died" '
    FNR == 1 { last = 0 }
    { if ($1 > died) { ++after; if (last && $1 - last > gap) gap = $1 - last } else ++before; last = $1 }
    END { printf "%d %d %d", before, after, gap * 1000 + 0.5 }' "${files[@]}")
  local before after gap
  read -r before after gap <<<"$figures"
  ((after > 0)) || die "No append was acknowledged after $victim had died."
  say "$before appends were acknowledged in the second before, and $after in the three seconds after."
  say "The longest that a client waited from one acknowledgement to the next was about $gap ms."

  read_log "${others[0]}" linearizable | sort >"$data/entries" || die "${others[0]} did not give its log."
  cut -d ' ' -f 2- "${files[@]}" | sort >"$data/expected"
  [[ -z $(comm -13 "$data/entries" "$data/expected") ]] ||
    die "An acknowledged append does not stand in the log: $(comm -13 "$data/entries" "$data/expected" | head -n 1)"
  say "Each acknowledged append stands in the log, at the index that its client was told."
}

restart_one() {
  local node=${nodes[1]} other=${nodes[0]} tries
  step "Restarting $node"
  local begun=$EPOCHREALTIME
  start "$node"
  await_health "$node"
  read_log "$other" linearizable >"$data/$other.entries" || die "$other did not give its log."
  for ((tries = 0; tries < 300; ++tries)); do
    read_log "$node" local >"$data/$node.entries" || die "$node did not give its log."
    ! cmp -s "$data/$other.entries" "$data/$node.entries" || break
    sleep 0.1
  done
  cmp -s "$data/$other.entries" "$data/$node.entries" || die "$node has not caught up within 30 seconds."
  say "$node is back as process ${pid[$node]}. Its own copy of the log, read with consistency=local, has all" \
    "$(wc -l <"$data/$node.entries") entries, $(awk -v a="$begun" -v b="$EPOCHREALTIME" \
      'BEGIN { printf "%.1f", b - a }') s after its start."
}

# ----------------------------------------------------------------------------------------------------

read_spec
# Before the long build, not after it.
refuse_taken_ports
if [[ -n "${QUORATE_NODE_RUNTIME:-}" ]]; then
  runtime=$QUORATE_NODE_RUNTIME
  [[ -x "$runtime" ]] || die "QUORATE_NODE_RUNTIME names no program: $runtime."
else
  build
fi
refuse_taken_ports
mkdir -p build
data=$(mktemp -d "$PWD/build/quickstart.XXXXXX")

step "Starting three nodes"
for node in "${nodes[@]}"; do
  start "$node"
  say "   $node  process ${pid[$node]}, clients on http://${http[$node]}, other nodes on ${host[$node]}:${port[$node]}"
done
for node in "${nodes[@]}"; do await_health "$node"; done
say "They have found one another and founded the cluster. Data and logs are in ${data#"$PWD"/}."

append_through_each
compare_logs
kill_one
restart_one

if [[ $keep == yes ]]; then
  kept=yes
  rm -f "$data"/enough "$data"/*.entries "$data"/*.acknowledged "$data"/entries "$data"/expected
  step "All of that worked. The cluster is still running"
  pids=
  for node in "${nodes[@]}"; do pids+=" ${pid[$node]}"; done
  one=${http[${nodes[0]}]} two=${http[${nodes[1]}]} three=${http[${nodes[2]}]}
  cat <<TEXT
Try:
   curl http://$one/append_log -d '{"key":"k","value":{"any":"JSON"}}'
   curl 'http://$two/log?from=0&limit=10'
   curl 'http://$three/log?key=k&consistency=local'
   curl http://$one/healthz
   curl http://$two/cluster
Stop it:
   kill$pids
   rm -r ${data}
TEXT
else
  step "Stopping everything"
  stop_all
  say "All of that worked: three nodes took appends, one was killed and missed nothing, and all are stopped."
  cat <<'TEXT'

How to go on:
   samples/quickstart.sh --keep   the same, but the cluster stays up, with curl lines to try
   tests/run.sh                   build and run all tests
   README.md                      the HTTP interface, the spec file, how to embed and extend
TEXT
fi
