// What GET /cluster and GET /healthz say.
#pragma once

#include "runtime/disk_gauge.hpp"
#include "runtime/http_options.hpp"
#include "runtime/status_board.hpp"

#include <string>

namespace quorate {

/// What the roles' figures do not hold.
struct page_facts {
  std::string cluster;
  node_id self;
  std::string name;
  disk_id disk;
  boot_id boot;
  std::string protocol;  ///< of the spec, until founded
  std::string balancer;  ///< of the spec, until this node's balancer runs
  std::string sync;
  std::string machine;
  std::vector<node_id> connected;
  http_figures http;
  std::uint64_t journal_batches = 0;
  std::uint64_t journal_bytes = 0;
  std::uint64_t state_bytes = 0;
  disk_figures room;
  struct link_figures {
    std::uint64_t in_flight = 0;
    std::uint64_t dropped = 0;
  };
  std::map<node_id, link_figures> links;
  std::map<node_id, std::string> names;
};

/// The text of a JSON object.
[[nodiscard]] std::string cluster_page(const page_facts& facts, const status_board::contents& board);

/// Healthy while this node can reach a majority of the members, and enough of them can take writes.
[[nodiscard]] http_backend::health_state health_of(const status_board::contents& board);

}  // namespace quorate
