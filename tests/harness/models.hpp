// Sequential models for the linearizability checker.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace quorate::testing {

/// One value that is written and read.
struct register_model {
  struct operation {
    bool write = false;
    std::int64_t value = 0;  ///< written, or what a read answered
  };
  using state = std::int64_t;
  [[nodiscard]] state initial() const { return 0; }
  [[nodiscard]] std::optional<state> apply(const state& s, const operation& op, bool known) const;
  [[nodiscard]] std::uint64_t hash(const state& s) const;
  [[nodiscard]] bool reads(const operation& op) const { return !op.write; }
};

/// One key of a key-value store: put, erase, get, compare-and-set. A history of many keys is checked key by
/// key: linearizability is local (Herlihy and Wing, 1990, theorem 1).
struct key_model {
  enum class kind : std::uint8_t { put, erase, get, compare_and_set };
  struct operation {
    kind what = kind::get;
    std::optional<std::string> expected;  ///< of compare_and_set; nothing: no value
    std::string value;                    ///< of put and compare_and_set
    std::optional<std::string> read;      ///< what get answered
    bool changed = false;                 ///< what compare_and_set answered
    /// Of put: no get has found this value. May be set where the history has puts and gets only.
    bool unseen = false;
  };
  using state = std::optional<std::string>;
  [[nodiscard]] state initial() const { return std::nullopt; }
  [[nodiscard]] std::optional<state> apply(const state& s, const operation& op, bool known) const;
  [[nodiscard]] std::uint64_t hash(const state& s) const;
  [[nodiscard]] bool reads(const operation& op) const {
    return op.what == kind::get || (op.what == kind::compare_and_set && !op.changed);
  }
  [[nodiscard]] bool unseen(const operation& op) const { return op.unseen; }
};

/// An append log: an append answers its index, a read answers consecutive entries from an index and the log's
/// length.
struct append_log_model {
  /// What stands where, as far as anybody has seen; may be null. Spares the search the appends of unknown
  /// outcome where something else stands.
  const std::map<std::uint64_t, std::string>* seen = nullptr;

  struct operation {
    bool append = false;
    std::string value;              ///< appended
    std::uint64_t index = 0;        ///< what append answered; where read began
    std::vector<std::string> read;  ///< what read answered
    std::uint64_t end = 0;          ///< the length that read answered
  };
  /// A persistent list: sharing its past makes a step O(1).
  struct node {
    std::shared_ptr<const node> before;
    std::string value;
    std::uint64_t length = 0;
    std::uint64_t hash = 0;
  };
  struct state {
    std::shared_ptr<const node> last;
    [[nodiscard]] std::uint64_t length() const { return last ? last->length : 0; }
    [[nodiscard]] std::uint64_t hash() const { return last ? last->hash : 0; }
    friend bool operator==(const state& a, const state& b);
  };
  [[nodiscard]] state initial() const { return {}; }
  [[nodiscard]] std::optional<state> apply(const state& s, const operation& op, bool known) const;
  [[nodiscard]] std::uint64_t hash(const state& s) const { return s.hash(); }
  [[nodiscard]] bool reads(const operation& op) const { return !op.append; }
};

}  // namespace quorate::testing
