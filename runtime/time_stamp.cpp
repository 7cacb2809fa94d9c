#include "runtime/time_stamp.hpp"

#include <chrono>
#include <cstdint>

namespace quorate {

namespace {

/// `value` in decimal, with leading zeros, into `digits` places that end before `end`.
void put(char* end, std::int64_t value, int digits) noexcept {
  for (; digits > 0; --digits, value /= 10)
    *--end = static_cast<char>('0' + value % 10);
}

}  // namespace

time_stamp::time_stamp(const timespec& at) noexcept
    : text_{'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0',
            '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0', 'Z'} {
  using namespace std::chrono;
  const sys_seconds whole{seconds{at.tv_sec}};
  const auto day = floor<days>(whole);
  const year_month_day date{day};
  const hh_mm_ss time{whole - day};
  auto* const text = text_.data();
  put(text + 4, static_cast<int>(date.year()), 4);
  put(text + 7, static_cast<unsigned>(date.month()), 2);
  put(text + 10, static_cast<unsigned>(date.day()), 2);
  put(text + 13, time.hours().count(), 2);
  put(text + 16, time.minutes().count(), 2);
  put(text + 19, time.seconds().count(), 2);
  put(text + 23, at.tv_nsec / 1'000'000, 3);
}

}  // namespace quorate
