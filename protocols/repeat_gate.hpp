// When a long message may be sent once more.
#pragma once

#include "actors/link_account.hpp"

#include <map>
#include <vector>

namespace quorate {

/// Of one long message that has been sent to several nodes: it is repeated to a node only where the link's
/// own account says that the first copy has got there, and the answer has had the time of one more wait to
/// come back. On a slow link the copies would otherwise pile up behind one another.
class repeat_gate {
public:
  /// Asked each time when patience is at its end. True: it may be sent to this node again now.
  [[nodiscard]] bool opens(const link_account& account, node_id to) {
    auto& s = states_[to];
    if (s.now == stage::sent) {
      // By now it has been handed over, and lies before this mark.
      s.upto = account.handed(to);
      s.now = stage::on_its_way;
      if (account.taken(to, s.upto))
        s.now = stage::arrived;
    } else if (s.now == stage::on_its_way) {
      if (account.taken(to, s.upto))
        s.now = stage::arrived;
      return false;
    }
    if (s.now != stage::arrived)
      return false;
    s.now = stage::sent;
    return true;
  }

  /// Those of them to which it may be sent again now.
  [[nodiscard]] std::vector<node_id> open_to(const link_account& account, const std::vector<node_id>& nodes) {
    std::vector<node_id> result;
    for (const auto n : nodes)
      if (opens(account, n))
        result.push_back(n);
    return result;
  }

private:
  enum class stage : std::uint8_t { sent, on_its_way, arrived };
  struct state {
    stage now = stage::sent;
    link_account::mark upto;
  };
  std::map<node_id, state> states_;
};

}  // namespace quorate
