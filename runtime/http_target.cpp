#include "runtime/http_target.hpp"

#include <algorithm>
#include <charconv>

namespace quorate {

namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Letters of a name: "unreserved" and "sub-delims" of RFC 3986, and whole escapes.
bool is_registered_name(std::string_view text) {
  constexpr std::string_view marks = "-._~!$&'()*+,;=";
  if (!percent_decoded(text, false))
    return false;
  return std::ranges::all_of(
      text, [&](char c) { return is_alphanumeric(c) || c == '%' || marks.find(c) != marks.npos; });
}

/// Between the brackets: an IPv6 address, or one of a later version. Which it is does not matter here.
bool is_literal(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || c == ':' || c == '.' || c == '%' || c == '-' || c == '_' || c == '~';
  });
}

bool is_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto* const end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, port);
  // Nothing behind the colon stands for the usual port.
  return digits.empty() || (error == std::errc{} && stopped == end);
}

/// The length of "http://" or "https://" in front; 0 where there is neither.
std::size_t scheme_of(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (equals_ignoring_case(target.substr(0, scheme.size()), scheme))
      return scheme.size();
  return 0;
}

}  // namespace

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower,
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

std::optional<std::string> percent_decoded(std::string_view text, bool form) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (form && text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const auto high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
      const auto low = i + 2 < text.size() ? digit_of(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

bool is_host_and_port(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos || !is_literal(text.substr(1, end - 1)))
      return false;
    text.remove_prefix(end + 1);
    return text.empty() || (text.front() == ':' && is_port(text.substr(1)));
  }
  const auto colon = std::min(text.find(':'), text.size());
  return is_registered_name(text.substr(0, colon)) &&
         (colon == text.size() || is_port(text.substr(colon + 1)));
}

std::variant<http_target, target_fault> read_target(std::string_view text) {
  http_target out;
  const auto scheme = scheme_of(text);
  if (scheme > 0) {
    text.remove_prefix(scheme);
    const auto end = std::min(text.find_first_of("/?"), text.size());
    const auto host = text.substr(0, end);
    if (host.empty() || host.front() == ':' || !is_host_and_port(host))
      return target_fault::bad_host;
    text.remove_prefix(end);
  }
  const auto question = std::min(text.find('?'), text.size());
  out.path = text.substr(0, question);
  out.query = text.substr(std::min(question + 1, text.size()));
  out.whole_server = scheme > 0 ? out.path.empty() : text == "*";
  if (scheme > 0 && out.path.empty())
    out.path = "/";
  if (!out.path.starts_with('/'))
    return out;
  for (auto rest = out.path.substr(1);;) {
    const auto slash = std::min(rest.find('/'), rest.size());
    auto segment = percent_decoded(rest.substr(0, slash), false);
    if (!segment)
      return target_fault::bad_escape;
    out.segments.push_back(std::move(*segment));
    if (slash == rest.size())
      return out;
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace quorate
