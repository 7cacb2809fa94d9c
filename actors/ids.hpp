// Strong ids: numbers that cannot be mixed up.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace quorate {

/// A number that means one thing only; `Tag` keeps two kinds of ids from being mixed up.
template <class Tag, class Rep = std::uint64_t>
struct strong {
  using rep = Rep;
  Rep value{};

  constexpr strong() = default;
  constexpr explicit strong(Rep v) : value(v) {}
  [[nodiscard]] constexpr strong next() const { return strong{static_cast<Rep>(value + 1)}; }
  friend constexpr auto operator<=>(const strong&, const strong&) = default;
};

template <class Inspector, class Tag, class Rep>
bool inspect(Inspector& f, strong<Tag, Rep>& x) {
  return f.apply(x.value);
}

/// A node's number in its cluster, 1, 2, …: founding gives them out in the spec's order, for ever.
using node_id = strong<struct node_tag, std::uint32_t>;
/// One replicated log with its own members.
using group_id = strong<struct group_tag, std::uint32_t>;
/// A stretch of a group's log with fixed members and a fixed protocol.
using epoch_id = strong<struct epoch_tag, std::uint64_t>;
/// Position of a batch in a group's log, 0, 1, 2, …, the same on every replica.
using log_index = strong<struct index_tag>;
/// Where the epoch's protocol stands after an index; opaque outside of that protocol, never compared there.
using cursor = strong<struct cursor_tag>;
/// Random, made once together with a data directory; 0 means unknown.
using disk_id = strong<struct disk_tag>;
/// Counts the starts of a process on its disk; saved before the first message of each.
using boot_id = strong<struct boot_tag>;
/// A client session; see DESIGN.md section 6.
using session_id = strong<struct session_tag>;
/// Number of a command within its session, 0, 1, 2, ….
using sequence = strong<struct sequence_tag>;
/// Names a request so that its answer is recognised.
using token = strong<struct token_tag>;
/// A role's name for one of its timers.
using timer_tag = strong<struct timer_tag_tag>;

/// A command's identity: executed once under it, however often it is proposed.
struct command_id {
  session_id session;
  sequence number;
  friend constexpr auto operator<=>(const command_id&, const command_id&) = default;
};

/// A batch's identity: the boot makes it unique across restarts of the proposer.
struct batch_id {
  node_id node;
  boot_id boot;
  std::uint64_t number = 0;
  friend constexpr auto operator<=>(const batch_id&, const batch_id&) = default;
};

template <class Inspector>
bool inspect(Inspector& f, command_id& x) {
  return f.object(x).fields(f.field("session", x.session), f.field("number", x.number));
}

template <class Inspector>
bool inspect(Inspector& f, batch_id& x) {
  return f.object(x).fields(f.field("node", x.node), f.field("boot", x.boot), f.field("number", x.number));
}

/// Time as a role knows it: nanoseconds since an origin that it must not assume anything about.
using duration = std::chrono::nanoseconds;
using time_point = std::chrono::nanoseconds;

[[nodiscard]] inline std::string text(node_id n) {
  return "n" + std::to_string(n.value);
}
[[nodiscard]] inline std::string text(const batch_id& b) {
  return text(b.node) + "." + std::to_string(b.boot.value) + "." + std::to_string(b.number);
}
[[nodiscard]] inline std::string text(const command_id& c) {
  return std::to_string(c.session.value) + "#" + std::to_string(c.number.value);
}

}  // namespace quorate

template <class Tag, class Rep>
struct std::hash<quorate::strong<Tag, Rep>> {
  std::size_t operator()(const quorate::strong<Tag, Rep>& x) const noexcept {
    return std::hash<Rep>{}(x.value);
  }
};

template <>
struct std::hash<quorate::command_id> {
  std::size_t operator()(const quorate::command_id& x) const noexcept {
    return std::hash<std::uint64_t>{}((x.session.value * 0x9e3779b97f4a7c15ULL) ^ x.number.value);
  }
};

template <>
struct std::hash<quorate::batch_id> {
  std::size_t operator()(const quorate::batch_id& x) const noexcept {
    return std::hash<std::uint64_t>{}(
        (x.boot.value * 0x9e3779b97f4a7c15ULL + x.node.value) * 0x9e3779b97f4a7c15ULL ^ x.number);
  }
};
