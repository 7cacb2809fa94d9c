#!/usr/bin/env bash
# Installs what is missing, builds everything and runs all tests.
set -euo pipefail
caller=$PWD
cd "$(dirname "$0")/.."

usage() {
  cat <<'END'
Usage: tests/run.sh [--asan | --tsan] [--seeds N] [--seed S [--members M] [--local]]
                    [--fire MINUTES | --fire-matrix] [--power N]

Installs what is missing (cmake/setup.sh), builds everything and runs all tests.

  --asan      build with AddressSanitizer and UBSan, and run the tests under them
  --tsan      build with ThreadSanitizer (CAF too, once), and run under it what has threads: nodes as processes, the
              shells, local clusters, the client
  --seeds N   how many seeds each simulation explores (environment: QUORATE_SEEDS)
  --protocol P  simulate, replay or burn this protocol only (environment: QUORATE_PROTOCOL)
  --seed S    replay this one seed, and run nothing else (environment: QUORATE_SEED)
  --local     with --seed: replay it with actors on CAF's deterministic coordinator, not in the simulator
  --script F  replay the scenario that this file describes (QUORATE_SCRIPT)
  --trace     print the replayed run as a space-time diagram (QUORATE_TRACE=1; QUORATE_TRACE=steps prints
              every effect of every role instead)
  --svg FILE  draw the diagram into this file (QUORATE_SVG)
  --shrink    make a failing run as small as it gets, and write it into tests/scripts (QUORATE_SHRINK=1)
  --members M simulate clusters of this many nodes only (environment: QUORATE_MEMBERS)
  --fire MIN  set real processes on fire for so many minutes, and run nothing else; --seed and
              --members repeat a plan (environment: QUORATE_PROTOCOL chooses a protocol)
  --power N   try N power losses, and run nothing else (environment: QUORATE_POWER_LOSS_POINTS and
              QUORATE_POWER_LOSS_SEED)
  --fire-matrix  what the clients of healthy nodes see while one node, or one link, is faulty: a table, measured
              with real processes, and nothing else; --members and --protocol choose the cluster
  --help      this text

QUORATE_FUZZ_SECONDS=N in the environment runs each fuzz target for N seconds at the end (20; 0 for none). They alone:
tests/fuzz/run.sh [SECONDS [TARGET...]].
END
}

refuse() { echo "tests/run.sh: $1 (see --help)" >&2; exit 2; }

# As the caller wrote it: relative to where the caller stands.
path() { (cd "$caller" && realpath -m -- "$1"); }
script() {
  QUORATE_SCRIPT=$(path "$1")
  [[ -f $QUORATE_SCRIPT ]] || refuse "--script needs a file, and $1 is none"
  export QUORATE_SCRIPT
}
svg() { [[ -n $1 ]] || refuse "--svg needs a file"; QUORATE_SVG=$(path "$1"); export QUORATE_SVG; }

number() { [[ "${2:-}" =~ ^[0-9]+$ ]] || refuse "$1 needs a number"; }

preset=release
fire=
power=
fire_matrix=
local_run=
while (($#)); do
  case "$1" in
    --asan) preset=asan ;;
    --tsan) preset=tsan; export QUORATE_TSAN=1 ;;
    --seeds) number "$@"; export QUORATE_SEEDS=$2; shift ;;
    --seeds=*) number --seeds "${1#*=}"; export QUORATE_SEEDS=${1#*=} ;;
    --seed) number "$@"; export QUORATE_SEED=$2; shift ;;
    --seed=*) number --seed "${1#*=}"; export QUORATE_SEED=${1#*=} ;;
    --protocol) [[ -n ${2:-} ]] || refuse "--protocol needs a name"; export QUORATE_PROTOCOL=$2; shift ;;
    --protocol=*) export QUORATE_PROTOCOL=${1#*=} ;;
    --script) script "${2:-}"; shift ;;
    --script=*) script "${1#*=}" ;;
    --local) local_run=1 ;;
    --trace) export QUORATE_TRACE=1 ;;
    --svg) svg "${2:-}"; shift ;;
    --svg=*) svg "${1#*=}" ;;
    --shrink) export QUORATE_SHRINK=1 ;;
    --members) number "$@"; export QUORATE_MEMBERS=$2; shift ;;
    --members=*) number --members "${1#*=}"; export QUORATE_MEMBERS=${1#*=} ;;
    --fire) number "$@"; fire=$2; shift ;;
    --fire=*) number --fire "${1#*=}"; fire=${1#*=} ;;
    --power) number "$@"; power=$2; shift ;;
    --power=*) number --power "${1#*=}"; power=${1#*=} ;;
    --fire-matrix) fire_matrix=1 ;;
    --help | -h) usage; exit 0 ;;
    *) refuse "unknown option $1" ;;
  esac
  shift
done

[[ -z $local_run || -n ${QUORATE_SEED:-} ]] || refuse "--local needs --seed"

. cmake/setup.sh || exit 1

if [[ $preset == asan ]]; then
  export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1}
  export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
fi
if [[ $preset == tsan ]]; then
  # A report ends the program: nothing that it says afterwards can be believed.
  export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tests/tsan.supp}
fi
cmake --preset "$preset"
if [[ -n $fire ]]; then
  cmake --build --preset "$preset" --target fire_test
  QUORATE_FIRE_SECONDS=$((fire * 60)) exec "build/$preset/tests/fire_test"
fi
if [[ -n $power ]]; then
  cmake --build --preset "$preset" --target power_test
  QUORATE_POWER_LOSS_POINTS=$power exec "build/$preset/tests/power_test" --test-case="one node*,*failed syncs*,three nodes*"
fi
if [[ -n $fire_matrix ]]; then
  cmake --build --preset "$preset" --target fire_test
  QUORATE_FIRE_MATRIX=1 exec "build/$preset/tests/fire_test" --test-case="the availability matrix*"
fi
if [[ -n $local_run ]]; then
  cmake --build --preset "$preset" --target protocols_test
  exec "build/$preset/tests/protocols_test" --test-case="one schedule*"
fi
if [[ -n ${QUORATE_SEED:-}${QUORATE_SCRIPT:-} ]]; then
  cmake --build --preset "$preset" --target simulation_test
  exec "build/$preset/tests/simulation_test" --test-case="one run*"
fi
if [[ $preset == tsan ]]; then
  cmake --build --preset tsan --target actors_test runtime_test process_test node_runtime
  exec ctest --preset tsan --tests-regex '^(actors|runtime|process)_test$'
fi
cmake --build --preset "$preset"
# Two at a time; those that measure time have the processors to themselves (tests/CMakeLists.txt).
ctest --preset "$preset" --parallel 2
# What we decode ourselves, under libFuzzer with sanitizers of its own; 0 seconds leave it out.
if [[ $preset == release && ${QUORATE_FUZZ_SECONDS:-20} != 0 ]]; then
  tests/fuzz/run.sh "${QUORATE_FUZZ_SECONDS:-20}"
fi
