// What clients of an append log did and saw, and what must be true of it.
#pragma once

#include "tests/harness/process/log_pages.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace quorate::testing {

/// What is certain about an append.
enum class append_fate : std::uint8_t {
  acknowledged,  ///< 200: it stands at its index
  refused,       ///< an answer that promises that it is not and never will be executed
  unknown,       ///< 504, or no answer: it may stand anywhere, once
};

struct append_record {
  std::size_t node = 0;
  std::string key;
  std::string value;  ///< no two appends have the same
  std::chrono::nanoseconds invoked{};
  std::chrono::nanoseconds returned{};
  append_fate fate = append_fate::unknown;
  std::uint64_t index = 0;  ///< where acknowledged
};

/// A linearizable read that was answered with 200.
struct read_record {
  std::size_t node = 0;
  std::chrono::nanoseconds invoked{};
  std::chrono::nanoseconds returned{};
  std::uint64_t from = 0;
  log_page page;
};

struct append_history {
  std::vector<append_record> appends;
  std::vector<read_record> reads;
  /// Answers that no client should ever get, one line each.
  std::vector<std::string> odd;

  void add(append_history&& other);
  [[nodiscard]] std::size_t count(append_fate fate) const;
  /// The longest time without an acknowledgement, between the first and the last.
  [[nodiscard]] std::chrono::nanoseconds longest_gap() const;
};

/// The logs of the nodes after everything has healed, by the node's number.
using final_logs = std::map<std::size_t, std::vector<log_entry>>;

/// All that is wrong, one line each (the first few of each kind); empty where nothing is:
/// - the logs are equal, and have no gaps;
/// - what is acknowledged stands at its index with its key and value;
/// - nothing stands twice, nothing stands that was refused or that nobody has sent;
/// - indexes respect real time, and so do linearizable reads: they see all that was acknowledged before them,
/// and
///   nothing that an append that began after them has written;
/// - what a read has shown stands in the log.
[[nodiscard]] std::string violations(const append_history& history, const final_logs& logs);

}  // namespace quorate::testing
