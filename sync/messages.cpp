#include "sync/messages.hpp"

namespace quorate {

namespace {

std::string place(node_id peer, token transfer, log_index at) {
  return text(peer) + " #" + std::to_string(transfer.value) + " at " + std::to_string(at.value);
}

}  // namespace

#define QUORATE_TEXT_OF(type, expression)                                                                    \
  std::string text(const type& m) {                                                                          \
    static_cast<void>(m);                                                                                    \
    return std::string{type::name} + "{" + (expression) + "}";                                               \
  }                                                                                                          \
  std::size_t wire_size(const type&) {                                                                       \
    return 64;                                                                                               \
  }

QUORATE_TEXT_OF(stop_serving, "")
QUORATE_TEXT_OF(catch_up, std::to_string(m.next.value))
QUORATE_TEXT_OF(fetch_log, place(m.peer, m.transfer, m.from))
QUORATE_TEXT_OF(log_part, place(m.peer, m.transfer, m.from) + " +" + std::to_string(m.entries.size()))
QUORATE_TEXT_OF(log_gone, place(m.peer, m.transfer, m.at))
QUORATE_TEXT_OF(apply_entries, std::to_string(m.from.value) + " +" + std::to_string(m.entries.size()))
QUORATE_TEXT_OF(stage_snapshot, std::to_string(m.part) + (m.last ? " last" : ""))
QUORATE_TEXT_OF(came_to, std::to_string(m.next.value))

}  // namespace quorate
