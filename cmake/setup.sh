#!/usr/bin/env bash
# Installs what Quorate is built with: Debian 12 packages, and CAF 0.18.7 built from source.
#
#   run:      prefix=$(cmake/setup.sh)         prints CAF's prefix on stdout, all else on stderr
#   sourced:  . cmake/setup.sh || exit 1       exports QUORATE_CAF_PREFIX and CMAKE_PREFIX_PATH
#
# CAF is built once per machine, compiler and architecture, outside the source tree.
#
#   QUORATE_CACHE=DIR   where it is kept (default: $XDG_CACHE_HOME/quorate or ~/.cache/quorate)
#   CAF_TARBALL=FILE    use this copy of the source instead of downloading it (same checksum)
#   CXX=COMPILER        the compiler (default: c++)
#   QUORATE_CLANG=1     install clang too, for tests/fuzz/run.sh
#   QUORATE_TSAN=1      give a CAF that is built with ThreadSanitizer, kept beside the other one

# Sourced: run as a child, so that the caller keeps its own shell options and traps.
if [[ "${BASH_SOURCE[0]}" != "$0" ]]; then
  QUORATE_CAF_PREFIX=$(bash "${BASH_SOURCE[0]}" </dev/null) || return 1
  export QUORATE_CAF_PREFIX
  # CMake reads the environment variable as a colon-separated list.
  export CMAKE_PREFIX_PATH="$QUORATE_CAF_PREFIX${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}"
  # ccache fails every compilation where it cannot write to a home.
  [[ -w "${HOME:-}" ]] || export CCACHE_DIR="${CCACHE_DIR:-$(dirname "$QUORATE_CAF_PREFIX")/ccache}"
  return 0
fi

set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

readonly caf_version=0.18.7
readonly caf_source=actor-framework=0.18.7-1~exp1
readonly caf_sha256=d5c3abe8fd67a729aab1baeece10367637d903ba335f4c79378bcadfbcd34552

# libboost1.74-dev, never libboost1.81-dev: the two evict each other.
# The compression libraries and gflags are what RocksDB's own CMake files ask for.
packages=(
  g++ cmake ninja-build make ccache curl procps ca-certificates xz-utils tar dpkg-dev iproute2 python3
  protobuf-compiler libprotobuf-dev libspdlog-dev libfmt-dev doctest-dev nlohmann-json3-dev
  libboost1.74-dev libssl-dev libbenchmark-dev
  librocksdb-dev libsnappy-dev liblz4-dev libzstd-dev zlib1g-dev libbz2-dev libgflags-dev
)

# Only who runs the fuzz targets needs clang.
[[ -z "${QUORATE_CLANG:-}" ]] || packages+=(clang-14 libclang-rt-14-dev)

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

scratch=$(mktemp -d)
# Downloads and the CAF build live here; nothing of it outlives the run.
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- packages ---------------------------------------------------------------------------------------

installed() { [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]; }

install_packages() {
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    die "This machine has no apt; Quorate is built on Debian 12."
  local missing=() package
  for package in "${packages[@]}"; do
    installed "$package" || missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      die "These packages are missing, and installing them needs root or sudo: ${missing[*]}."
    # Never ask for a password where nobody can answer.
    as_root=(sudo)
    [[ -t 2 && -r /dev/tty ]] || as_root=(sudo -n)
    "${as_root[@]}" true 2>/dev/null ||
      die "These packages are missing, and sudo does not let this user install them: ${missing[*]}."
  fi
  local apt=("${as_root[@]}" env "DEBIAN_FRONTEND=$DEBIAN_FRONTEND" "LC_ALL=$LC_ALL" apt-get
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 -o Acquire::http::Timeout=30)

  say "Installing ${#missing[@]} Debian packages: ${missing[*]}."
  local log=$scratch/apt.log
  # A third-party source that fails must not stop us: only the install decides.
  "${apt[@]}" update </dev/null >"$log" 2>&1 || true
  if ! "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" </dev/null >>"$log" 2>&1; then
    die "apt-get could not install the missing packages: $(grep -m1 '^E:' "$log" || echo 'no reason given')"
  fi
}

# --- where CAF goes ---------------------------------------------------------------------------------

cache_dir() {
  if [[ -n "${QUORATE_CACHE:-}" ]]; then
    realpath -m "$QUORATE_CACHE"
  elif [[ -n "${XDG_CACHE_HOME:-}" ]]; then
    realpath -m "$XDG_CACHE_HOME/quorate"
  else
    local home=${HOME:-$(getent passwd "$EUID" | cut -d: -f6)}
    # Build users often have a home that does not exist.
    if [[ -n "$home" && -w "$home" ]]; then
      echo "$home/.cache/quorate"
    else
      echo "/var/tmp/quorate-$EUID"
    fi
  fi
}

compiler_name() {
  if echo | "$cxx" -dM -E -x c++ - 2>/dev/null | grep -q __clang__; then
    echo "clang-$("$cxx" -dumpversion)"
  else
    echo "gcc-$("$cxx" -dumpfullversion)"
  fi
}

# --- CAF's source -----------------------------------------------------------------------------------

# The mirror that this machine already uses for Debian itself; the security archive has no experimental.
debian_mirror() {
  local codename
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
  # Labels are known only after the lists were fetched once; until then the suite's name has to do.
  apt-get indextargets --format '$(LABEL)|$(RELEASE)|$(REPO_URI)' 2>/dev/null |
    awk -F'|' -v suite="$codename" '
      $2 ~ /security/ || $1 ~ /[Ss]ecurity/ { next }
      $1 == "Debian" && $2 == suite         { print 1, $3 }
      $1 == "Debian"                        { print 2, $3 }
      $2 == suite || $2 == "stable"         { print ($3 ~ /debian\/?$/ ? 3 : 4), $3 }' |
    sort -s -n -k1,1 | awk 'NR == 1 { print $2 }'
}

# Leaves the tarball's path in $tarball.
fetch_caf() {
  if [[ -n "${CAF_TARBALL:-}" ]]; then
    [[ -r "$CAF_TARBALL" ]] || die "CAF_TARBALL names a file that cannot be read: $CAF_TARBALL."
    tarball=$(realpath "$CAF_TARBALL")
  else
    local mirror
    mirror=$(debian_mirror)
    [[ -n "$mirror" ]] ||
      die "apt knows no Debian mirror to fetch CAF $caf_version from; set CAF_TARBALL to a copy of its source."

    # A private list and private folders: the machine's own apt settings stay as they are.
    local apt_dir=$scratch/apt keyring=/usr/share/keyrings/debian-archive-keyring.gpg option=
    mkdir -p "$apt_dir"/lists/partial "$apt_dir"/cache/archives/partial "$apt_dir"/source
    [[ ! -r $keyring ]] || option="[signed-by=$keyring] "
    echo "deb-src ${option}${mirror} experimental main" >"$apt_dir/sources.list"
    local apt=(apt-get -q
      -o Dir::Etc::sourcelist="$apt_dir/sources.list" -o Dir::Etc::sourceparts=/dev/null
      -o Dir::State::Lists="$apt_dir/lists" -o Dir::Cache="$apt_dir/cache"
      -o Acquire::Check-Valid-Until=false -o APT::Update::Error-Mode=any
      -o Acquire::Retries=2 -o Acquire::http::Timeout=30
      -o APT::Sandbox::User="$(id -un)")

    say "Fetching the source of CAF $caf_version from this machine's Debian mirror."
    (
      cd "$apt_dir/source"
      "${apt[@]}" update && "${apt[@]}" source --download-only --tar-only "$caf_source"
    ) </dev/null >"$apt_dir/log" 2>&1 ||
      die "CAF $caf_version could not be fetched ($(grep -m1 '^E:' "$apt_dir/log" || echo 'no reason given'));" \
        "set CAF_TARBALL to a copy of its source."
    tarball=$(find "$apt_dir/source" -name 'actor-framework_*.orig.tar.*' -type f | head -n 1)
    [[ -n "$tarball" ]] || die "The Debian mirror gave no source of CAF $caf_version; set CAF_TARBALL to a copy."
  fi
  echo "$caf_sha256  $tarball" | sha256sum --check --status ||
    die "$(basename "$tarball") is not CAF $caf_version: its sha256 is not $caf_sha256."
}

# --- CAF's build ------------------------------------------------------------------------------------

# Passes a terminal through; elsewhere one line every ten seconds says how far the build is.
condense() {
  local line next=0
  while IFS= read -r line; do
    printf '%s\n' "$line"
    if [[ "$line" =~ ^\[([0-9]+)/([0-9]+)\] ]] && ((SECONDS >= next)); then
      say "CAF: step ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}, ${SECONDS} s."
      next=$((SECONDS + 10))
    fi
  done
}

build_caf() {
  local source=$scratch/caf build=$scratch/caf-build log=$scratch/caf.log tarball
  fetch_caf
  mkdir -p "$source"
  tar -xf "$tarball" -C "$source" --strip-components=1

  say "Building CAF $caf_version with $compiler, once for this machine (about 5 minutes of one processor)."
  SECONDS=0
  # An interrupted install has no stamp and is started afresh.
  rm -rf "$prefix"
  {
    cmake -S "$source" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_BUILD_TYPE=Release \
      -DCMAKE_CXX_FLAGS="-ffile-prefix-map=$source=caf $caf_flags" \
      -DCMAKE_INSTALL_PREFIX="$prefix" -DCAF_ENABLE_EXAMPLES=OFF -DCAF_ENABLE_TESTING=OFF \
      -DCAF_ENABLE_TOOLS=OFF -DBUILD_SHARED_LIBS=OFF &&
      NINJA_STATUS='[%f/%t] ' cmake --build "$build" &&
      cmake --install "$build"
  } </dev/null 2>&1 9>&- | condense >"$log" || {
    tail -n 30 "$log" >&2
    die "CAF $caf_version did not build; its last lines are above."
  }
  echo "$caf_sha256" >"$prefix/.complete"
  say "CAF $caf_version was built in $SECONDS s and is kept in $prefix."
}

complete() { [[ "$(cat "$prefix/.complete" 2>/dev/null)" == "$caf_sha256" ]]; }

# ----------------------------------------------------------------------------------------------------

install_packages

cxx=$(command -v "${CXX:-c++}") || die "There is no compiler called ${CXX:-c++}."
compiler=$(compiler_name)
cache=$(cache_dir)
# Static: a program that is built with it runs for every user of the machine, from wherever it is copied to.
prefix=$cache/caf-$caf_version-$compiler-$(uname -m)-static
caf_flags=
if [[ -n "${QUORATE_TSAN:-}" ]]; then
  prefix+=-tsan
  caf_flags='-fsanitize=thread -g1'
fi

if ! complete; then
  mkdir -p "$cache" 2>/dev/null && [[ -w "$cache" ]] ||
    die "The cache folder $cache cannot be written; set QUORATE_CACHE to one that can."
  # Two runs at once: the second waits, then finds the work done.
  exec 9>"$prefix.lock"
  if ! flock -n 9; then
    say "Another run is building CAF $caf_version; waiting for it."
    flock 9
  fi
  complete || build_caf
  exec 9>&-
fi

echo "$prefix"
