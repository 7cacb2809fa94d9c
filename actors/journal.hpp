// Durable saves of a node's roles: interface, key spaces, and the in-memory journal for tests.
#pragma once

#include "actors/errors.hpp"
#include "actors/outbox.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace quorate {

/// A role's own key space in its node's journal.
struct journal_space {
  group_id group;
  epoch_id epoch;  ///< roles that outlive epochs (replica, founding) use epoch 0 and their own port
  port role = port::node;

  /// What the keys of this space begin with; fixed length, so that no space's keys begin with another's.
  [[nodiscard]] std::string prefix() const;
  static constexpr std::size_t prefix_bytes = 1 + 4 + 8;
};

/// One change in a journal. Keys are full keys: space prefix, then the role's key.
struct journal_op {
  std::string key;
  std::string value;
  std::optional<batch_ref> batch;
  bool erase = false;  ///< drop every key in [key, value): `value` is the end of the range
};

/// What a role had saved when it starts: its own key space, keys without the prefix, in order.
class journal_view {
public:
  virtual ~journal_view() = default;
  /// Every saved row with a key in [from, to), in order; an empty `to` means up to the end. Stops when `row`
  /// returns false.
  virtual void scan(std::string_view from, std::string_view to,
                    const std::function<bool(journal_row&&)>& row) const = 0;
  [[nodiscard]] std::optional<std::string> get(std::string_view key) const;
};

/// One per node. `commit` is called from one thread only (the journal's writer); `scan` from any, also at the
/// same time.
class journal {
public:
  virtual ~journal() = default;

  /// Applies all of `ops`, in order, atomically. With `sync` they and everything before them are durable on
  /// return. A failure means that the node must stop: what is in memory could not be saved.
  [[nodiscard]] virtual status commit(std::vector<journal_op> ops, bool sync) = 0;

  /// Every row of full keys in [from, to), in order, with its batch loaded, until `row` returns false; an
  /// empty `to` means to the end. What is committed meanwhile is not seen.
  virtual status scan(std::string_view from, std::string_view to,
                      const std::function<bool(journal_row&&)>& row) const = 0;

  /// What a role of this space finds when it starts. A read that fails stops the process. \pre outlived by
  /// this.
  [[nodiscard]] std::unique_ptr<journal_view> view(const journal_space& space) const;
};

/// Keeps count of which keys refer to which batch, so that a batch's bytes are stored once and dropped with
/// the last key that refers to it. Part of every journal; lives in memory and is rebuilt from a scan at the
/// start. Not thread-safe: used by the writer.
class batch_references {
public:
  /// What a journal has to do beside writing the key itself. One per call: of two calls, the later one's
  /// changes come after the earlier one's.
  struct changes {
    std::vector<batch_ref> store;
    std::vector<batch_id> drop;
  };

  /// `key` now refers to `batch` (or to none). Appends to `out`.
  void put(const std::string& key, const std::optional<batch_ref>& batch, changes& out);
  /// All keys in [from, to) are gone.
  void erase(const std::string& from, const std::string& to, changes& out);
  /// At the start: `key` was found to refer to `id`.
  void found(const std::string& key, const batch_id& id);
  [[nodiscard]] bool holds(const batch_id& id) const { return counts_.contains(id); }
  [[nodiscard]] std::size_t size() const { return counts_.size(); }

private:
  void release(const batch_id& id, changes& out);

  std::map<std::string, batch_id, std::less<>> keys_;
  std::unordered_map<batch_id, std::uint32_t> counts_;
};

/// A journal in memory, for tests. Commits without sync, and commits since the last sync, can be lost by
/// `crash`, which keeps a prefix of them, as a write-ahead log with a torn tail would.
class memory_journal : public journal {
public:
  [[nodiscard]] status commit(std::vector<journal_op> ops, bool sync) override;
  status scan(std::string_view from, std::string_view to,
              const std::function<bool(journal_row&&)>& row) const override;

  /// Makes everything committed so far durable.
  void sync();
  /// Makes the oldest `commits` of the unsynced ones durable.
  void sync_first(std::size_t commits);
  [[nodiscard]] std::size_t unsynced() const {
    const std::lock_guard guard{mutex_};
    return unsynced_.size();
  }
  /// The process dies: the oldest `keep` unsynced commits survive, the others never happened.
  void crash(std::size_t keep);
  /// Every following commit fails with this message; nothing where it works again.
  void fail_with(std::optional<std::string> message) {
    const std::lock_guard guard{mutex_};
    fault_ = std::move(message);
  }

private:
  struct contents {
    std::map<std::string, journal_row, std::less<>> rows;
    void apply(const journal_op& op);
  };

  // Recursive: a row's callback may scan again.
  mutable std::recursive_mutex mutex_;
  contents durable_;
  contents current_;
  std::vector<std::vector<journal_op>> unsynced_;
  std::optional<std::string> fault_;
};

}  // namespace quorate
