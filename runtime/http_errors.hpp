// The errors that a client can be answered with: the table in README.md, as code.
#pragma once

#include "actors/errors.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace quorate {

/// One kind of error answer. There is no other way to make one, so what is not in this list never reaches a
/// client; a test holds the list against README.md.
enum class http_error : std::uint8_t {
  malformed_json,
  missing_field,
  wrong_field,
  unknown_field,
  duplicate_field,
  too_deep,
  unknown_policy,
  bad_option,
  bad_parameter,
  bad_path,
  malformed_request,
  invalid_command,
  not_found,
  method_not_allowed,
  request_timeout,
  too_large,
  target_too_long,
  unsupported_encoding,
  expectation_failed,
  overloaded,
  header_too_large,
  internal,
  not_implemented,
  no_quorum,
  too_many_connections,  ///< says "overloaded" too
  unready,  ///< GET /healthz: says "disk_full"
  shutting_down,
  state_differs,
  not_founded,
  session_expired,
  moved,
  unknown_outcome,
  version_not_supported,
  disk_full,
};

/// How an error looks to a client.
struct http_error_row {
  http_error error = http_error::internal;
  unsigned status = 500;
  std::string_view code;  ///< "error" in the answer
};

/// All rows, in the order of the enumeration.
[[nodiscard]] std::span<const http_error_row> http_errors();
[[nodiscard]] const http_error_row& row_of(http_error error);
/// The error of status 400 with this code, as the readers of bodies name it; `internal` where there is none.
[[nodiscard]] http_error bad_body_error(std::string_view code);
/// What a failure of the cluster looks like to a client.
[[nodiscard]] http_error http_error_of(errc code);

}  // namespace quorate
