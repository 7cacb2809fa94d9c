#!/usr/bin/env bash
# Installs the build in $1 (build type $2) into a folder of its own and builds, against that, the project in
# outside/, which knows nothing of this tree. Then runs its tests.
set -euo pipefail
build=$1
type=$2
here=$(cd "$(dirname "$0")" && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

cmake --install "$build" --prefix "$place/prefix" >"$place/install.log"
"$place/prefix/bin/node_runtime" --version
# A copy, so that nothing of the tree is found by accident.
cp -r "$here/outside" "$place/outside"
caf=$(sed -n 's/^CAF_DIR:[A-Z]*=//p' "$build/CMakeCache.txt")
flags=$(sed -n 's/^CMAKE_CXX_FLAGS:[A-Z]*=//p' "$build/CMakeCache.txt")
cmake -S "$place/outside" -B "$place/build" -G Ninja -DCMAKE_BUILD_TYPE="$type" -DCMAKE_CXX_FLAGS="$flags" \
  -DCMAKE_PREFIX_PATH="$place/prefix;$caf" >"$place/configure.log" || { cat "$place/configure.log"; exit 1; }
cmake --build "$place/build"
"$place/build/outside_test"
