// What a cluster is: one description, the same on every machine (DESIGN.md section 11).
#pragma once

#include "actors/errors.hpp"
#include "actors/ids.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace quorate {

/// A node's name and addresses. Hosts are IP addresses or names, which are looked up where they are used: what
/// stands behind a name changes. The spec's "localhost" has become 127.0.0.1. The node's name is what identifies
/// it: in what order a spec lists the nodes means nothing.
struct node_spec {
  std::string name;
  std::string host;  ///< where the other nodes reach it
  std::uint16_t port = 0;
  std::string http_host;  ///< where clients reach it; 0.0.0.0 and :: stand for every address of the machine
  std::uint16_t http_port = 0;
  node_id id;  ///< 1, 2, … in the order of the names, until the cluster is founded: then the founded one
  std::string listen_host = {};  ///< what it binds to be reached at host and port
  std::uint16_t listen_port = 0;
  bool founded_without = false;  ///< of this spec, but no member of the cluster that was founded
};

struct spec_timeouts {
  duration request = std::chrono::seconds{5};           ///< what a client waits for when it does not say
  duration heartbeat = std::chrono::milliseconds{100};  ///< nodes tell one another that they live
  duration suspect = std::chrono::seconds{1};           ///< silence after which a node counts as unreachable
};

struct spec_limits {
  std::uint64_t link_bytes =
      16ULL * 1024 * 1024;                  ///< sent to a peer and not acknowledged; beyond it, dropped
  std::uint64_t requests_in_flight = 4096;  ///< of clients, per node; beyond it, refused with 429 or 503
  std::uint64_t connections = 4096;         ///< of clients, per node; beyond it, closed
  /// Batches and their bytes that a node keeps for others to catch up from; beyond them, a snapshot.
  std::uint64_t log_entries = 20'000;
  std::uint64_t log_bytes = 256ULL * 1024 * 1024;
  std::uint64_t disk_reserve = 0;  ///< bytes of each disk that writes leave free; 0: see disk_gauge.hpp
};

/// One cluster. Read from a file it is valid; embedded, whoever fills it in answers for it.
struct cluster_spec {
  std::string name;
  std::string protocol = "mencius";
  std::string balancer = "local";
  std::string sync = "push-pull";
  std::string machine = "append_log";
  std::vector<node_spec> nodes;
  std::map<std::string, std::string> protocol_options;  ///< `cluster.<protocol>`, by name
  /// Which of "protocol" and "machine" the file names: what it does not name differs from nothing.
  std::set<std::string> named;
  std::map<std::string, std::string> balancer_options;  ///< `cluster.<balancer>`, by name
  spec_timeouts timeouts;
  spec_limits limits;

  /// The node called `wanted`, or null.
  [[nodiscard]] const node_spec* find(std::string_view wanted) const;
};

/// Gives the nodes the numbers that all specs with these names agree on, whatever order they list them in.
void number_by_name(std::vector<node_spec>& nodes);

/// What a spec may name, from the registries of whoever reads it.
struct known_names {
  std::vector<std::string> protocols;
  std::vector<std::string> balancers;
  std::vector<std::string> syncs;
  std::vector<std::string> machines;
  /// Nothing, or which option of the protocol is wrong and why. May be empty: then every option is taken.
  std::function<status(const std::string& protocol, const std::map<std::string, std::string>& options)>
      check_options;
  /// The same for the balancer.
  std::function<status(const std::string& balancer, const std::map<std::string, std::string>& options)>
      check_balancer = {};
};

/// Largest spec file.
inline constexpr std::size_t spec_bytes_max = 1024 * 1024;

using spec_result = std::variant<cluster_spec, failure>;

/// The spec that `text` describes, or bad_config with one line that names the key and its line and column.
/// `source` stands in front of that line.
[[nodiscard]] spec_result parse_spec(std::string_view text, const known_names& known,
                                     std::string_view source = "spec");
/// The same from a file.
[[nodiscard]] spec_result load_spec(const std::string& path, const known_names& known);

}  // namespace quorate
