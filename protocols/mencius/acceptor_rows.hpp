// How the acceptor's votes stand in the journal.
#pragma once

#include "actors/journal.hpp"
#include "protocols/mencius/ballots.hpp"

#include <string>
#include <string_view>

namespace quorate::mencius::rows {

inline constexpr std::string_view floor_key = "f";
inline constexpr char vote_kind = 'v';     ///< by slot: a vote for a batch
inline constexpr char promise_kind = 'p';  ///< by lane and first position: a promise over a range
inline constexpr char noop_kind = 'n';     ///< likewise: votes for no-ops

/// A saved range, in positions of its lane.
struct saved_range {
  lane which;
  std::uint64_t begin;
  std::uint64_t end;
  ballot at;
};

[[nodiscard]] std::string vote_key(slot s);
[[nodiscard]] std::string range_key(char kind, lane l, std::uint64_t begin);
/// Behind all keys of a kind.
[[nodiscard]] std::string end_of(char kind);

[[nodiscard]] std::string bytes(slot floor);
[[nodiscard]] std::string bytes(const slot_vote& v);
[[nodiscard]] std::string bytes(std::uint64_t end, const ballot& at);

// What cannot be read breaks an invariant: a journal keeps what it was given, or says that it cannot.
[[nodiscard]] slot floor(const std::string& value);
[[nodiscard]] slot slot_of(const journal_row& row);
[[nodiscard]] slot_vote vote(const journal_row& row);
[[nodiscard]] saved_range range(const journal_row& row);

}  // namespace quorate::mencius::rows
