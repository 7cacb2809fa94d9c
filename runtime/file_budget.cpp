#include "runtime/file_budget.hpp"

#include "runtime/client_traffic.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace quorate {

namespace {

/// RocksDB keeps up to max_open_files (rocks_database.cpp) open, and some beside them.
constexpr std::uint64_t state_files = 128 + 24;
/// Files of the journal beside those of the log that is kept: spares, the newest ones, and what is still wanted of old
/// ones.
constexpr std::uint64_t journal_files_beside = 8;
constexpr std::uint64_t own_files = 48;
constexpr std::uint64_t turned_away_max = 64;
/// A node that serves fewer clients than that is of no use.
constexpr std::uint64_t connections_min = 8;

/// What the port for other nodes lets in (transport.cpp), and one that is dialled to each.
std::uint64_t node_files(std::uint64_t others) {
  return 16 + 5 * others + 2 * limits::clients_max;
}

}  // namespace

std::variant<file_budget, failure> file_budget::of(std::uint64_t granted, const cluster_spec& spec,
                                                   std::uint64_t segment_bytes) {
  file_budget out;
  out.granted = granted;
  // The log may stand in files that are half empty.
  out.storage = state_files + journal_files_beside + 2 * (spec.limits.log_bytes / segment_bytes + 1);
  out.nodes = node_files(spec.nodes.size() - 1);
  out.own = own_files;
  out.turned_away = std::min(turned_away_max, granted / 32);
  const auto set_aside = out.storage + out.nodes + out.own + out.turned_away;
  if (granted < set_aside + connections_min)
    return failure{errc::io_failed, "only " + std::to_string(granted) +
                                        " open files are allowed (ulimit -n), and this node needs " +
                                        std::to_string(set_aside + connections_min) + " at the least"};
  out.connections = std::min(spec.limits.connections, granted - set_aside);
  return out;
}

std::uint64_t raise_file_limit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0)
    return 0;
  if (files.rlim_cur < files.rlim_max) {
    auto wanted = files;
    wanted.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
      files = wanted;
  }
  return files.rlim_cur;
}

}  // namespace quorate
