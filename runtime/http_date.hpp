// The Date of HTTP answers.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

namespace quorate {

/// "Sun, 06 Nov 1994 08:49:37 GMT", whatever the locale.
/// Source: RFC 9110 section 5.6.7, IMF-fixdate.
[[nodiscard]] std::string imf_fixdate(std::time_t seconds);

/// The date as text, made anew once a second, so that an answer costs no look at the clock.
class http_date {
public:
  /// Looks at the clock; to be called about once a second or more often.
  void refresh();
  [[nodiscard]] std::string_view text() const { return text_; }

private:
  std::time_t at_ = -1;
  std::string text_;
};

}  // namespace quorate
