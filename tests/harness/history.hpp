// What clients did and saw: the input of every check of what the cluster promises.
#pragma once

#include "actors/errors.hpp"
#include "actors/ids.hpp"
#include "actors/traffic.hpp"

#include <optional>
#include <string>
#include <vector>

namespace quorate::testing {

/// What is certain about an operation.
enum class fate : std::uint8_t {
  done,     ///< answered ok: took effect exactly once, between invocation and return
  refused,  ///< answered with an error that promises that it never took and never will take effect
  unknown,  ///< no answer, or one that promises nothing: it took effect once, at any time after invocation,
            ///< or never
};

/// One operation of one client.
struct operation {
  std::uint64_t number = 0;  ///< position in the history
  node_id at;                ///< the node that was asked
  request_kind kind = request_kind::write;
  std::string key;
  std::string argument;  ///< the command's or query's bytes
  time_point invoked{};
  std::optional<time_point> returned;  ///< nothing where no answer came
  errc code = errc::unknown_outcome;
  std::string result;  ///< the machine's answer where code is ok

  [[nodiscard]] quorate::testing::fate fate() const {
    switch (code) {
    case errc::ok:
      return fate::done;
    case errc::unknown_outcome:
    // A machine may answer an error to a command that was ordered, and so changed nothing but its session.
    case errc::io_failed:
    case errc::corrupt:
      return fate::unknown;
    default:
      return fate::refused;
    }
  }
};

/// All operations of all clients, in the order of their invocations.
/// Invariant: `list()[i].number == i`, and times of invocation never decrease.
class history {
public:
  /// Returns the operation's number.
  std::uint64_t invoke(node_id at, request_kind kind, std::string key, std::string argument, time_point now) {
    operation op;
    op.number = list_.size();
    op.at = at;
    op.kind = kind;
    op.key = std::move(key);
    op.argument = std::move(argument);
    op.invoked = now;
    list_.push_back(std::move(op));
    return list_.back().number;
  }

  const operation& answer(std::uint64_t number, errc code, std::string result, time_point now) {
    auto& op = list_.at(number);
    op.returned = now;
    op.code = code;
    op.result = std::move(result);
    return op;
  }

  [[nodiscard]] const std::vector<operation>& list() const { return list_; }
  [[nodiscard]] const operation& operator[](std::uint64_t number) const { return list_.at(number); }

private:
  std::vector<operation> list_;
};

}  // namespace quorate::testing
