#!/usr/bin/env bash
# Builds the measuring programs, runs one, and leaves tables and pictures.
set -euo pipefail
caller=$PWD
cd "$(dirname "$0")/../.."

usage() {
  cat <<'END'
Usage: tests/bench/run.sh compare|failover|client|micro [--smoke] [--output DIR] [--built DIR] [-- OPTION...]

  compare    durable writes over HTTP: each protocol and etcd, beside what the machine can do at best
  failover   kill, freeze, cut off and slow down one of three processes: each protocol and etcd
  client     durable commands through the C++ client, beside what the machine can do at best
  micro      shell, journal and batches one by one (Google Benchmark)

  --smoke       only shows that it runs: the figures mean nothing
  --output DIR  where tables and pictures go (default: build/bench)
  --built DIR   install and build nothing, take the programs of this build directory
  -- OPTION...  for the program itself: its first lines say which there are

etcd is Debian's package etcd-server: QUORATE_ETCD or the PATH says where it is, else it is downloaded and unpacked
into the cache folder (QUORATE_CACHE), and not installed. Without it the rest is measured.
Everything happens on loopback or in network namespaces of its own, and in temporary directories that are removed.
END
}

refuse() { echo "tests/bench/run.sh: $1 (see --help)" >&2; exit 2; }

what=
smoke=
output=build/bench
built=
while (($#)); do
  case "$1" in
    compare | failover | client | micro) [[ -z $what ]] || refuse "one measurement at a time"; what=$1 ;;
    --smoke) smoke=--smoke ;;
    --output) output=$(cd "$caller" && realpath -m -- "${2:?--output needs a directory}"); shift ;;
    --output=*) output=$(cd "$caller" && realpath -m -- "${1#*=}") ;;
    --built) built=$(cd "$caller" && realpath -m -- "${2:?--built needs a directory}"); shift ;;
    --built=*) built=$(cd "$caller" && realpath -m -- "${1#*=}") ;;
    --) shift; break ;;
    --help | -h) usage; exit 0 ;;
    *) refuse "unknown option $1" ;;
  esac
  shift
done
[[ -n $what ]] || refuse "nothing to measure"

# Leaves the path of etcd's program in QUORATE_ETCD, or says why there is none.
find_etcd() {
  [[ -z ${QUORATE_ETCD:-} ]] || return 0
  if command -v etcd >/dev/null; then
    QUORATE_ETCD=$(command -v etcd)
    export QUORATE_ETCD
    return 0
  fi
  local cache=${QUORATE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/quorate}
  local program=$cache/etcd-server/usr/bin/etcd
  if [[ ! -x $program ]]; then
    echo "run.sh: fetching Debian's etcd-server into $cache" >&2
    local scratch
    scratch=$(mktemp -d)
    mkdir -p "$cache"
    # Unpacked beside and moved into place: another run may do the same. Nothing is installed, so no service starts.
    if (cd "$scratch" && timeout 120 apt-get -q download etcd-server && dpkg-deb -x etcd-server_*.deb etcd) \
      >"$scratch/log" 2>&1 </dev/null; then
      rm -rf "$cache/etcd-server"
      mv "$scratch/etcd" "$cache/etcd-server" || true
    else
      echo "run.sh: $(grep -m1 '^E:' "$scratch/log" || tail -n 1 "$scratch/log")" >&2
    fi
    rm -rf "$scratch"
  fi
  if [[ -x $program ]]; then
    export QUORATE_ETCD=$program
  else
    echo "run.sh: etcd is left out: Debian's etcd-server could not be fetched" >&2
  fi
}

case "$what" in
  micro) programs=(micro_shell micro_journal micro_batch) ;;
  client) programs=(client_load) ;;
  *) programs=("$what"); find_etcd ;;
esac

if [[ -z $built ]]; then
  . cmake/setup.sh || exit 1
  cmake --preset release
  cmake --build --preset release --target node_runtime "${programs[@]}"
  built=build/release
fi
mkdir -p "$output"
if [[ $what == micro ]]; then
  for program in "${programs[@]}"; do
    "$built/tests/bench/$program" ${smoke:+--benchmark_min_time=0.01} "$@" | tee "$output/$program.txt"
  done
else
  "$built/tests/bench/${programs[0]}" $smoke --output="$output" "$@"
fi
echo "run.sh: written into $output" >&2
