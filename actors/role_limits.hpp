// Limits of single roles, which simulations make tiny.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace quorate {

/// Limits by the names that their roles give them ("acceptor.reads_max"). What is not named has the role's
/// own value, as everywhere outside of simulations: what they bound is memory, and no choice of a user's.
class role_limits {
public:
  void set(std::string_view name, std::uint64_t value) { values_.insert_or_assign(std::string{name}, value); }
  void reset(std::string_view name) {
    if (const auto found = values_.find(name); found != values_.end())
      values_.erase(found);
  }
  [[nodiscard]] std::uint64_t of(std::string_view name, std::uint64_t own) const {
    const auto found = values_.find(name);
    return found == values_.end() ? own : found->second;
  }
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& list() const { return values_; }

private:
  std::map<std::string, std::uint64_t, std::less<>> values_;
};

}  // namespace quorate
