// Points in time as the log spells them.
#pragma once

#include <array>
#include <ctime>
#include <string_view>

namespace quorate {

/// "2026-11-27T12:00:00.123Z" (ISO 8601, UTC). Also for signal handlers, where the system's functions that know
/// about calendars must not be called.
class time_stamp {
public:
  explicit time_stamp(const timespec& at) noexcept;
  [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), text_.size()}; }

private:
  std::array<char, 24> text_;
};

}  // namespace quorate
