// The ordered store that a state machine keeps its state in: interface and in-memory implementation.
#pragma once

#include "actors/errors.hpp"
#include "actors/ids.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quorate {

/// A frozen, ordered map of bytes. Safe to read from any thread, also while the store goes on.
class store_view {
public:
  virtual ~store_view() = default;
  [[nodiscard]] virtual std::optional<std::string> get(std::string_view key) const = 0;
  /// Every pair with a key in [from, to), in order, until `pair` returns false; an empty `to` means to the
  /// end.
  virtual void scan(std::string_view from, std::string_view to,
                    const std::function<bool(std::string_view key, std::string_view value)>& pair) const = 0;
  /// The last pair with a key in [from, upto], upto included.
  [[nodiscard]] virtual std::optional<std::pair<std::string, std::string>>
  last(std::string_view from, std::string_view upto) const = 0;
};

/// Changes that happen together or not at all.
class store_batch {
public:
  struct op {
    enum class kind : std::uint8_t { put, erase, erase_range } what;
    std::string key;
    std::string value;  ///< for erase_range: the end, exclusive
  };

  void put(std::string key, std::string value) {
    ops_.push_back({op::kind::put, std::move(key), std::move(value)});
  }
  void erase(std::string key) { ops_.push_back({op::kind::erase, std::move(key), {}}); }
  void erase_range(std::string from, std::string to) {
    ops_.push_back({op::kind::erase_range, std::move(from), std::move(to)});
  }
  [[nodiscard]] const std::vector<op>& ops() const { return ops_; }
  [[nodiscard]] bool empty() const { return ops_.empty(); }
  void clear() { ops_.clear(); }

private:
  std::vector<op> ops_;
};

/// The state of one replica. Writes are visible at once and durable after a flush; a crash takes the store
/// back to a flushed point, never between two writes. Used by one replica; views may be read elsewhere.
class store : public store_view {
public:
  /// Applies the changes atomically. `index` is the log index that they bring the store to; the store knows
  /// which index it stands at and which one is flushed.
  [[nodiscard]] virtual status write(const store_batch& changes, log_index index) = 0;
  /// A view of this moment, O(1).
  [[nodiscard]] virtual std::shared_ptr<const store_view> view() const = 0;
  /// Starts to make everything written so far durable, without waiting for it.
  virtual void start_flush() = 0;
  /// The index up to which everything is durable, nothing where nothing is.
  [[nodiscard]] virtual std::optional<log_index> flushed() const = 0;

  /// Replacing the whole state by a snapshot: stage pairs, in any order, then switch. Until `finish_staging`
  /// the state is as before, and after it, atomically, the staged one; it is durable when it returns. `index`
  /// is the log index that the snapshot stands at.
  [[nodiscard]] virtual status begin_staging() = 0;
  [[nodiscard]] virtual status stage(const std::vector<std::pair<std::string, std::string>>& pairs) = 0;
  [[nodiscard]] virtual status finish_staging(log_index index) = 0;
};

/// A store in memory, for tests: `flush` happens when the test says so, and `crash` goes back to it.
class memory_store : public store {
public:
  [[nodiscard]] std::optional<std::string> get(std::string_view key) const override;
  void scan(std::string_view from, std::string_view to,
            const std::function<bool(std::string_view, std::string_view)>& pair) const override;
  [[nodiscard]] std::optional<std::pair<std::string, std::string>> last(std::string_view from,
                                                                        std::string_view upto) const override;
  [[nodiscard]] status write(const store_batch& changes, log_index index) override;
  [[nodiscard]] std::shared_ptr<const store_view> view() const override;
  void start_flush() override;
  [[nodiscard]] std::optional<log_index> flushed() const override { return flushed_index_; }
  [[nodiscard]] status begin_staging() override;
  [[nodiscard]] status stage(const std::vector<std::pair<std::string, std::string>>& pairs) override;
  [[nodiscard]] status finish_staging(log_index index) override;

  /// A flush was started and has not been finished by `flush`.
  [[nodiscard]] bool flush_wanted() const { return flush_wanted_; }
  /// Everything written so far is durable from now on.
  void flush();
  /// The process dies: back to the last flush; staged pairs are gone.
  void crash();
  /// Flushes at once whenever asked to: for tests that do not simulate crashes.
  void flush_at_once(bool on) { flush_at_once_ = on; }

private:
  using pairs = std::map<std::string, std::string, std::less<>>;
  void own();

  // Shared with views: copied on the first write after a view was taken.
  std::shared_ptr<pairs> current_ = std::make_shared<pairs>();
  std::shared_ptr<const pairs> flushed_ = std::make_shared<pairs>();
  std::optional<log_index> current_index_;
  std::optional<log_index> flushed_index_;
  std::optional<pairs> staged_;
  bool flush_wanted_ = false;
  bool flush_at_once_ = false;
};

}  // namespace quorate
