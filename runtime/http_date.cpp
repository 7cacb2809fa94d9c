#include "runtime/http_date.hpp"

#include <cstdio>

namespace quorate {

std::string imf_fixdate(std::time_t seconds) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr)
    return {};
  char text[64];
  const auto length =
      std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday],
                    parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                    parts.tm_sec);
  return {text, static_cast<std::size_t>(length)};
}

void http_date::refresh() {
  const auto now = std::time(nullptr);
  if (now == at_)
    return;
  at_ = now;
  text_ = imf_fixdate(now);
}

}  // namespace quorate
