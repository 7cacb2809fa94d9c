#include "runtime/http_errors.hpp"

#include <algorithm>
#include <array>

namespace quorate {

namespace {

constexpr std::array rows{
    http_error_row{http_error::malformed_json, 400, "malformed_json"},
    http_error_row{http_error::missing_field, 400, "missing_field"},
    http_error_row{http_error::wrong_field, 400, "wrong_field"},
    http_error_row{http_error::unknown_field, 400, "unknown_field"},
    http_error_row{http_error::duplicate_field, 400, "duplicate_field"},
    http_error_row{http_error::too_deep, 400, "too_deep"},
    http_error_row{http_error::unknown_policy, 400, "unknown_policy"},
    http_error_row{http_error::bad_option, 400, "bad_option"},
    http_error_row{http_error::bad_parameter, 400, "bad_parameter"},
    http_error_row{http_error::bad_path, 400, "bad_path"},
    http_error_row{http_error::malformed_request, 400, "malformed_request"},
    http_error_row{http_error::invalid_command, 400, "invalid_command"},
    http_error_row{http_error::not_found, 404, "not_found"},
    http_error_row{http_error::method_not_allowed, 405, "method_not_allowed"},
    http_error_row{http_error::request_timeout, 408, "request_timeout"},
    http_error_row{http_error::too_large, 413, "too_large"},
    http_error_row{http_error::target_too_long, 414, "target_too_long"},
    http_error_row{http_error::unsupported_encoding, 415, "unsupported_encoding"},
    http_error_row{http_error::expectation_failed, 417, "expectation_failed"},
    http_error_row{http_error::overloaded, 429, "overloaded"},
    http_error_row{http_error::header_too_large, 431, "header_too_large"},
    http_error_row{http_error::internal, 500, "internal"},
    http_error_row{http_error::not_implemented, 501, "not_implemented"},
    http_error_row{http_error::no_quorum, 503, "no_quorum"},
    http_error_row{http_error::too_many_connections, 503, "overloaded"},
    http_error_row{http_error::unready, 503, "disk_full"},
    http_error_row{http_error::shutting_down, 503, "shutting_down"},
    http_error_row{http_error::state_differs, 503, "state_differs"},
    http_error_row{http_error::not_founded, 503, "not_founded"},
    http_error_row{http_error::session_expired, 503, "session_expired"},
    http_error_row{http_error::moved, 503, "moved"},
    http_error_row{http_error::unknown_outcome, 504, "unknown_outcome"},
    http_error_row{http_error::version_not_supported, 505, "version_not_supported"},
    http_error_row{http_error::disk_full, 507, "disk_full"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (static_cast<std::size_t>(rows[i].error) != i)
      return false;
  return static_cast<std::size_t>(http_error::disk_full) + 1 == rows.size();
}
static_assert(in_order(), "each error has its row, at its own place");

}  // namespace

std::span<const http_error_row> http_errors() {
  return rows;
}

const http_error_row& row_of(http_error error) {
  return rows[static_cast<std::size_t>(error)];
}

http_error bad_body_error(std::string_view code) {
  const auto found =
      std::ranges::find_if(rows, [&](const auto& row) { return row.status == 400 && row.code == code; });
  return found == rows.end() ? http_error::internal : found->error;
}

http_error http_error_of(errc code) {
  switch (code) {
  case errc::no_quorum:
    return http_error::no_quorum;
  case errc::unknown_outcome:
    return http_error::unknown_outcome;
  case errc::session_expired:
    return http_error::session_expired;
  case errc::overloaded:
    return http_error::overloaded;
  case errc::too_large:
    return http_error::too_large;
  case errc::invalid_command:
    return http_error::invalid_command;
  case errc::not_founded:
    return http_error::not_founded;
  case errc::moved:
    return http_error::moved;
  case errc::shutting_down:
    return http_error::shutting_down;
  case errc::disk_full:
    return http_error::disk_full;
  case errc::state_differs:
    return http_error::state_differs;
  case errc::ok:
  case errc::bad_config:
  case errc::io_failed:
  case errc::corrupt:
  case errc::in_use:
    return http_error::internal;
  }
  return http_error::internal;
}

}  // namespace quorate
