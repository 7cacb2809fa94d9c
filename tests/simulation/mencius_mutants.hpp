// What planted bugs in the roles of mencius have in common.
#pragma once

#include "protocols/mencius/lanes.hpp"
#include "protocols/mencius/ports.hpp"
#include "tests/harness/mutants.hpp"

#include <doctest/doctest.h>

#include <cstdio>

namespace quorate::testing {

namespace me = quorate::mencius;

/// The clusters that are hunted in have three members.
inline const std::vector<node_id> all_members{node_id{1}, node_id{2}, node_id{3}};

/// Does not wait for any save.
template <class M>
void send_at_once(std::vector<effect>& list) {
  for (auto& one : list)
    if (auto* s = std::get_if<send_effect>(&one); s != nullptr && s->message.get<M>() != nullptr)
      s->now = true;
}
inline void lose_saves(std::vector<effect>& list, std::string_view key_prefix) {
  std::erase_if(list, [&](const effect& e) {
    const auto* s = std::get_if<save_effect>(&e);
    return s != nullptr && s->key.starts_with(key_prefix);
  });
}
template <class M>
void say_more(std::vector<effect>& list, std::vector<node_id> to, M message) {
  list.emplace_back(send_effect{std::move(to), box::of(std::move(message)), true});
}

/// Logs are cut all the time, and members come and go.
inline void much_is_forgotten(scenario& s) {
  using namespace std::chrono_literals;
  s.log.entries_max = 1;
  s.timings.flush_every = 20ms;
  s.timings.applied_every = 20ms;
  s.clients.operations_max = std::max<std::uint64_t>(s.clients.operations_max, 60);
  s.clients.think_max = std::min<duration>(s.clients.think_max, 10ms);
}

/// Lets each live until it is caught, and prints the table.
inline void catch_all(std::span<const mutant> planted, const protocol& ordering) {
  for (const auto& c : hunt(planted, ordering)) {
    std::printf("%s\n", text(c).c_str());
    CHECK_MESSAGE(c.as_expected(), text(c));
  }
}

}  // namespace quorate::testing
