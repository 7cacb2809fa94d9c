// Pull roles by hand: one, or one behind and one ahead with a replica each.
#pragma once

#include "sync/pull.hpp"
#include "tests/runtime/lone_role.hpp"
#include "tests/runtime/slow_account.hpp"
#include "tests/sync/toy_replica.hpp"

namespace quorate::testing {

namespace wire = sync::wire;
using sync::pull;
using namespace std::chrono_literals;
using chunk = with_payload<wire::Entries>;
using part = with_payload<wire::SnapshotPart>;

inline constexpr node_id n1{1};
inline constexpr node_id n2{2};
inline constexpr node_id n3{3};
inline constexpr std::size_t large = 400'000;  // three do not fit into one part

/// A pull role of three nodes.
struct pull_desk : lone_role<pull> {
  explicit pull_desk(node_id self, std::shared_ptr<slow_account> links = std::make_shared<slow_account>())
      : lone_role{sync::pull_setup{{{n1, "n1", disk_id{1}}, {n2, "n2", disk_id{2}}, {n3, "n3", disk_id{3}}},
                                   self,
                                   boot_id{4},
                                   300ms,
                                   {},
                                   links}},
        account(std::move(links)) {
    start();
  }
  [[nodiscard]] wire::Pull pulled() const {
    const auto found = sent<wire::Pull>();
    REQUIRE(found.size() == 1);
    return found.front();
  }
  std::shared_ptr<slow_account> account;
};

/// One behind, n1, and one ahead, n2, that serves it.
struct pair_of_nodes {
  explicit pair_of_nodes(std::uint64_t ahead_by, std::uint64_t cut = 0) {
    replica.grow_to(ahead_by);
    replica.cut_to(cut);
  }

  /// What n2 sends when told this, its replica answering at once.
  template <class M>
  std::vector<chunk> entries(const M& msg) {
    std::vector<chunk> out;
    ahead.on(n1, msg);
    while (true) {
      for (auto& c : ahead.sent<chunk>())
        out.push_back(c);
      const auto fetch = ahead.sent<fetch_log>();
      if (fetch.empty())
        return out;
      const auto answer = replica.on(fetch.front());
      if (const auto* found = answer.get<log_part>())
        ahead.on(n2, *found);
      else
        ahead.on(n2, *answer.get<log_gone>());
    }
  }
  template <class M>
  std::vector<part> parts(const M& msg) {
    entries(msg);
    return ahead.sent<part>();
  }
  wire::Pull ask() {
    behind.on(n1, catch_up{own.next(), {n2}});
    return behind.pulled();
  }
  wire::Credit credit(const wire::Pull& pull) {
    wire::Credit msg;
    msg.set_token(pull.token());
    msg.set_chunks(1);
    return msg;
  }

  pull_desk behind{n1};
  pull_desk ahead{n2};
  toy_replica own{large};
  toy_replica replica{large};
};

}  // namespace quorate::testing
