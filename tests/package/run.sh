#!/usr/bin/env bash
# Installs the build in $1 (build type $2) into a folder of its own and builds, against that, the project in
# outside/ and the sample of a test suite, which know nothing of this tree. Then runs their tests.
set -euo pipefail
build=$1
type=$2
here=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

cmake --install "$build" --prefix "$place/prefix" >"$place/install.log"
# What was installed is for other people, who may have moved it: a program that starts without the builder's home.
chmod 755 "$place"
mv "$place/prefix" "$place/moved"
program=$place/moved/bin/node_runtime
as_another=()
if ((EUID == 0)); then as_another=(setpriv --reuid=nobody --regid=nogroup --clear-groups); fi
(cd / && env -i "${as_another[@]}" "$program" --version) || { echo "another user cannot start $program"; exit 1; }
paths=$(readelf -d "$program" | grep -E 'R(UN)?PATH' || true)
[[ -z $paths || $paths == *'[$ORIGIN/../lib/quorate]'* ]] || { echo "the installed program looks for libraries in: $paths"; exit 1; }
source=$(sed -n 's/^CMAKE_HOME_DIRECTORY:[A-Z]*=//p' "$build/CMakeCache.txt")
home=${HOME:-$(getent passwd "$EUID" | cut -d: -f6)}
((${#home} > 1)) || home=$source
found=$(strings -a "$program" | grep -F -e "$source/" -e "$home/" -e "$(realpath "$build")" | head -3) || true
[[ -z $found ]] || { echo "the installed program names folders of the machine that built it:"; echo "$found"; exit 1; }

caf=$(sed -n 's/^CAF_DIR:[A-Z]*=//p' "$build/CMakeCache.txt")
flags=$(sed -n 's/^CMAKE_CXX_FLAGS:[A-Z]*=//p' "$build/CMakeCache.txt")

# project FOLDER PROGRAM: builds a copy of it, so that nothing of the tree is found by accident, and runs it.
project() {
  local name
  name=$(basename "$1")
  cp -r "$1" "$place/$name"
  cmake -S "$place/$name" -B "$place/build-$name" -G Ninja -DCMAKE_BUILD_TYPE="$type" -DCMAKE_CXX_FLAGS="$flags" \
    -DCMAKE_PREFIX_PATH="$place/moved;$caf" >"$place/configure.log" || { cat "$place/configure.log"; exit 1; }
  cmake --build "$place/build-$name"
  "$place/build-$name/$2"
}

project "$here/outside" outside_test
project "$here/../../samples/testing_kit" testing_kit
