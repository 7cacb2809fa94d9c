#!/usr/bin/env bash
# Builds the fuzz targets with clang and runs each for some seconds, two at a time.
set -uo pipefail
cd "$(dirname "$0")/../.."

case "${1:-}" in
  --help | -h)
    cat <<'TEXT'
Usage: tests/fuzz/run.sh [SECONDS [TARGET...]]

Builds the targets (preset fuzz, clang) and runs each for SECONDS (default: QUORATE_FUZZ_SECONDS, else 60), two
at a time, all of them unless some are named. What they find on top of tests/fuzz/corpus stays in
build/fuzz/corpus. A crash ends it with exit code 1 and the command that repeats it; put its input into
tests/fuzz/corpus/TARGET, where the usual tests (fuzz_test) go through it for ever.
TEXT
    exit 0
    ;;
esac
seconds=${1:-${QUORATE_FUZZ_SECONDS:-60}}
shift || true
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "tests/fuzz/run.sh: $seconds is no number of seconds" >&2; exit 2; }

export QUORATE_CLANG=1
. cmake/setup.sh || exit 1
cmake --preset fuzz >/dev/null && cmake --build build/fuzz --target quorate_fuzz || exit 1
program=build/fuzz/tests/fuzz/quorate_fuzz
(($#)) || set -- $(QUORATE_FUZZ_TARGET=none "$program" 2>&1 | tail -n +2)

export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
work=build/fuzz/corpus
fuzz() {
  local target=$1
  mkdir -p "$work/$target" "build/fuzz/crashes"
  # One allocation of 64 MiB for input of at most 4 KiB is a finding too.
  if QUORATE_FUZZ_TARGET=$target "$program" -max_total_time="$seconds" -timeout=10 -max_len=4096 \
    -rss_limit_mb=1024 -malloc_limit_mb=64 -print_final_stats=1 -artifact_prefix="build/fuzz/crashes/$target-" \
    "$work/$target" "tests/fuzz/corpus/$target" >"build/fuzz/$target.log" 2>&1; then
    echo "$target: $(awk '/stat::number_of_executed_units/ { print $2 }' "build/fuzz/$target.log") runs"
    return 0
  fi
  tail -n 40 "build/fuzz/$target.log" >&2
  local input
  input=$(sed -n 's/.*Test unit written to //p' "build/fuzz/$target.log" | tail -n 1)
  echo "$target failed; again with: QUORATE_FUZZ_TARGET=$target $program $input" >&2
  return 1
}

failed=0 running=0
for target in "$@"; do
  fuzz "$target" &
  if ((++running == 2)); then
    wait -n || failed=1
    ((running--))
  fi
done
while ((running-- > 0)); do wait -n || failed=1; done
exit "$failed"
