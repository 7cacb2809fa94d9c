// Memory for the answers to reads.
#pragma once

#include "actors/payload.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace quorate {

/// How much memory the answers to reads may take on a node, from before they are made until their clients have taken
/// them. Thread-safe. Invariant: what is admitted by `take` never makes it more than bytes_max().
class answer_budget {
public:
  static constexpr std::size_t bytes_max_default = 128ULL << 20;

  explicit answer_budget(std::size_t bytes_max = bytes_max_default) : bytes_max_(bytes_max) {}

  [[nodiscard]] bool take(std::size_t bytes) {
    auto used = used_.load(std::memory_order_relaxed);
    do
      if (bytes > bytes_max_ || used > bytes_max_ - bytes)
        return false;
    while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  /// What is there already, and cannot be refused any more.
  void add(std::size_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void give_back(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  [[nodiscard]] std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t bytes_max() const { return bytes_max_; }

private:
  const std::size_t bytes_max_;
  std::atomic<std::size_t> used_{0};
};

/// A share of a budget, given back with its owner.
class answer_lease {
public:
  answer_lease() = default;
  /// Nothing where the budget has no room for so much.
  [[nodiscard]] static std::optional<answer_lease> take(std::shared_ptr<answer_budget> from, std::size_t bytes) {
    if (!from->take(bytes))
      return std::nullopt;
    return answer_lease{std::move(from), bytes};
  }
  answer_lease(answer_lease&& other) noexcept
      : from_(std::move(other.from_)), bytes_(std::exchange(other.bytes_, 0)) {}
  answer_lease& operator=(answer_lease&& other) noexcept {
    std::swap(from_, other.from_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~answer_lease() {
    if (from_)
      from_->give_back(bytes_);
  }

  /// Now that it is known how much it is.
  void resize(std::size_t bytes) {
    from_->add(bytes);
    from_->give_back(std::exchange(bytes_, bytes));
  }

private:
  answer_lease(std::shared_ptr<answer_budget> from, std::size_t bytes) : from_(std::move(from)), bytes_(bytes) {}

  std::shared_ptr<answer_budget> from_;
  std::size_t bytes_ = 0;
};

/// These bytes; the lease is given back with the last of them.
[[nodiscard]] inline payload leased_payload(std::string bytes, answer_lease lease) {
  struct holder {
    std::string bytes;
    answer_lease lease;
  };
  const auto held = std::make_shared<const holder>(std::move(bytes), std::move(lease));
  return payload{std::shared_ptr<const std::string>{held, &held->bytes}};
}

}  // namespace quorate
