// What a request is about: the target of its first line, and its Host.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace quorate {

/// A target, taken apart.
struct http_target {
  /// Of the path, each decoded: "/a%2Fb/" is {"a/b", ""}. Empty for "*", and for what is no path at all.
  std::vector<std::string> segments;
  std::string_view path;   ///< as it was sent
  std::string_view query;  ///< behind the question mark, not decoded
  bool whole_server = false;  ///< "*", or an absolute target without a path
};

/// Why a target cannot be read.
enum class target_fault : std::uint8_t {
  bad_host,    ///< of an absolute target
  bad_escape,  ///< a percent sign without two hexadecimal digits behind it
};

/// Takes "/path?query", "http://host/path?query", which clients send to what they think is a proxy, and "*". The
/// path is split before it is decoded: an encoded slash is part of a name. The views point into `text`.
/// Source: RFC 9112 section 3.2, RFC 3986 section 2.4.
[[nodiscard]] std::variant<http_target, target_fault> read_target(std::string_view text);

/// Whether this is "host" or "host:port", as it may stand in a Host field or an absolute target.
/// Source: RFC 9110 section 7.2, RFC 3986 section 3.2.2.
[[nodiscard]] bool is_host_and_port(std::string_view text);

/// Nothing where a percent sign is not followed by two hexadecimal digits. `form`: "+" is a space.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text, bool form);

/// "HTTP", "Http" and "http" are equal to `lower`.
[[nodiscard]] bool equals_ignoring_case(std::string_view text, std::string_view lower);

}  // namespace quorate
