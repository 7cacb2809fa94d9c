#include "actors/traffic.hpp"

namespace quorate {

namespace {

std::string text_of(command_id x) {
  return text(x);
}
std::string text_of(const command& x) {
  return (x.kind == command_kind::open_session ? "open " : "") + text(x.id) + "+" +
         std::to_string(x.body.size());
}
std::string text_of(token x) {
  return std::to_string(x.value);
}
std::string text_of(const outcome& x) {
  return text(x.id) + " " + std::string{to_string(x.code)};
}
std::string text_of(const query& x) {
  return std::to_string(x.id.value) + (x.linearizable ? "" : " local");
}
std::string text_of(const client_request& x) {
  return std::to_string(x.id.value) + (x.kind == request_kind::write ? " write" : " read");
}
template <class T>
requires requires(const T& x) {
  x.id, x.code, x.body, x.id.value;
}
std::string text_of(const T& x) {
  return std::to_string(x.id.value) + " " + std::string{to_string(x.code)};
}

template <class List>
std::string listed(std::string_view name, const List& list) {
  std::string out{name};
  out += '{';
  std::string_view separator;
  for (const auto& x : list) {
    out += separator;
    out += text_of(x);
    separator = ", ";
  }
  return out + "}";
}

template <class List>
std::size_t bytes_of(const List& list) {
  std::size_t sum = 64;
  for (const auto& x : list) {
    if constexpr (requires { x.body.size(); })
      sum += x.body.size();
    sum += 48;
  }
  return sum;
}

}  // namespace

std::size_t submission_bytes(const std::vector<command>& commands) {
  return bytes_of(commands);
}

#define QUORATE_TEXT_OF_LIST(type, field)                                                                    \
  std::string text(const type& m) {                                                                          \
    return listed(type::name, m.field);                                                                      \
  }                                                                                                          \
  std::size_t wire_size(const type& m) {                                                                     \
    return bytes_of(m.field);                                                                                \
  }

QUORATE_TEXT_OF_LIST(client_requests, list)
QUORATE_TEXT_OF_LIST(client_replies, list)
QUORATE_TEXT_OF_LIST(submission, commands)
QUORATE_TEXT_OF_LIST(outcomes, list)
QUORATE_TEXT_OF_LIST(withdraw, ids)
QUORATE_TEXT_OF_LIST(withdrawn, ids)
QUORATE_TEXT_OF_LIST(queries, list)
QUORATE_TEXT_OF_LIST(drop_queries, ids)
QUORATE_TEXT_OF_LIST(query_results, list)
QUORATE_TEXT_OF_LIST(read_job, list)
QUORATE_TEXT_OF_LIST(propose, commands)
QUORATE_TEXT_OF_LIST(take_back, ids)
QUORATE_TEXT_OF_LIST(not_ordered, ids)

#define QUORATE_TEXT_OF(type, expression)                                                                    \
  std::string text(const type& m) {                                                                          \
    static_cast<void>(m);                                                                                    \
    return std::string{type::name} + "{" + (expression) + "}";                                               \
  }                                                                                                          \
  std::size_t wire_size(const type&) {                                                                       \
    return 64;                                                                                               \
  }

QUORATE_TEXT_OF(delivered, text(m.value.id) + " at " + std::to_string(m.at.value))
QUORATE_TEXT_OF(fast_forward, std::to_string(m.at.value))
QUORATE_TEXT_OF(forget, std::to_string(m.at.value))
QUORATE_TEXT_OF(barrier, std::to_string(m.id.value))
QUORATE_TEXT_OF(reached, std::to_string(m.id.value))
QUORATE_TEXT_OF(fell_behind, "")
QUORATE_TEXT_OF(ready, "")
QUORATE_TEXT_OF(quarantined, "")

}  // namespace quorate
