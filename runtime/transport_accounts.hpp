// The account of the links of a process, as its connections keep it.
#pragma once

#include "actors/link_account.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>

namespace quorate {

/// The long messages that come in over a connection, one behind the other. One thread writes, everybody
/// reads.
class arrivals {
public:
  /// One that has not gone on for so long is not arriving any more: its sender may be dead. Where links are
  /// so slow that there are longer gaps between its parts, patience is twice the longest of the latest ones.
  struct patience {
    duration min = std::chrono::milliseconds{25};
    duration max = std::chrono::milliseconds{500};
  };

  arrivals() = default;
  explicit arrivals(patience limits) : limits_(limits) {}

  /// Some of one has come. `whole`: its end. `more`: the rest, or another one, is on its way.
  void came(time_point now, bool whole, bool more) {
    if (last_ != time_point{})
      longest_ = std::max(longest_, now - last_);
    if (began_ == time_point{})
      began_ = now;
    if (whole) {
      took_ = (now - began_).count();
      began_ = more ? now : time_point{};
    }
    last_ = more ? now : time_point{};
    if (!more) {
      usual_ = longest_ > usual_ ? longest_ : usual_ + (longest_ - usual_) / 4;
      longest_ = {};
    }
    patience_ = std::clamp(2 * std::max(usual_, longest_), limits_.min, limits_.max).count();
    at_ = last_.count();
  }
  /// How long the last one was coming in.
  [[nodiscard]] duration took() const { return duration{took_}; }
  [[nodiscard]] bool going_on(time_point now) const { return at_ != 0 && now.count() - at_ < patience_; }

private:
  patience limits_;
  time_point last_{};
  time_point began_{};
  duration longest_{};  ///< between parts of the one that is coming in
  duration usual_{};    ///< and of those before
  std::atomic<time_point::rep> at_{0};
  std::atomic<duration::rep> patience_{0};
  std::atomic<duration::rep> took_{0};
};

/// What one connection counts; the connection writes, everybody reads.
struct connection_account {
  const std::uint64_t number = next();
  // Of long messages that are not background: bytes that were given to the connection, and those of them that
  // the other process has.
  std::atomic<std::uint64_t> handed{0};
  std::atomic<std::uint64_t> taken{0};
  std::atomic<bool> background_on_its_way{false};
  arrivals bulk;
  // One piece goes between many of batches, on a slow link a second apart, and nobody's command waits for it.
  arrivals background{arrivals::patience{std::chrono::seconds{1}, std::chrono::seconds{5}}};

private:
  [[nodiscard]] static std::uint64_t next() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
  }
};

/// Thread-safe.
class transport_accounts final : public link_account {
public:
  /// Null: the node is not connected any more.
  void connect(node_id node, std::shared_ptr<const connection_account> connection);

  [[nodiscard]] mark handed(node_id to) const override;
  [[nodiscard]] bool taken(node_id to, const mark& upto) const override;
  [[nodiscard]] bool arriving(node_id from) const override;
  [[nodiscard]] bool arriving_in_background(node_id from) const override;
  [[nodiscard]] duration transfer(node_id from) const override;
  [[nodiscard]] duration transfer_in_background(node_id from) const override;
  [[nodiscard]] bool background_on_its_way(node_id to) const override;

private:
  [[nodiscard]] std::shared_ptr<const connection_account> find(node_id node) const;

  mutable std::mutex mutex_;
  std::map<node_id, std::shared_ptr<const connection_account>> connections_;
};

/// The clock of these accounts.
[[nodiscard]] time_point account_now();

}  // namespace quorate
