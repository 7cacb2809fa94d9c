// An account of links that a test keeps by hand.
#pragma once

#include "actors/link_account.hpp"

#include <map>
#include <set>

namespace quorate::testing {

class slow_account final : public link_account {
public:
  std::map<node_id, std::uint64_t> given;  ///< bytes of long messages
  std::map<node_id, std::uint64_t> took;   ///< of these
  std::set<node_id> arrives;               ///< from these nodes something long is coming in
  std::uint64_t connection = 1;
  duration last_transfer{};
  duration last_in_background{};
  std::set<node_id> background;  ///< what these nodes are to catch up from is on its way

  [[nodiscard]] mark handed(node_id to) const override { return {connection, of(given, to)}; }
  [[nodiscard]] bool taken(node_id to, const mark& upto) const override {
    return upto.connection != connection || of(took, to) >= upto.bytes;
  }
  [[nodiscard]] bool arriving(node_id from) const override { return arrives.contains(from); }
  [[nodiscard]] bool arriving_in_background(node_id from) const override { return arrives.contains(from); }
  [[nodiscard]] duration transfer(node_id) const override { return last_transfer; }
  [[nodiscard]] duration transfer_in_background(node_id) const override { return last_in_background; }
  [[nodiscard]] bool background_on_its_way(node_id to) const override { return background.contains(to); }

private:
  static std::uint64_t of(const std::map<node_id, std::uint64_t>& bytes, node_id node) {
    const auto found = bytes.find(node);
    return found == bytes.end() ? 0 : found->second;
  }
};

}  // namespace quorate::testing
