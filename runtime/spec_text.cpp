#include "runtime/spec_text.hpp"

#include "actors/wording.hpp"
#include "runtime/spec_scan.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/init_global_meta_objects.hpp>

#include <algorithm>
#include <exception>
#include <set>
#include <sstream>

namespace quorate {

namespace {

/// Line breaks of all systems as \n, without the mark that some editors begin a file with.
std::string unix_text(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf"))
    text.remove_prefix(3);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n')
      out.push_back(text[i]);
  return out;
}

std::string_view line_of(std::string_view text, std::size_t line) {
  for (; line > 1 && text.find('\n') != std::string_view::npos; --line)
    text.remove_prefix(text.find('\n') + 1);
  return text.substr(0, text.find('\n'));
}

/// CAF's error as a sentence at a place.
text_fault fault_of(const caf::error& error, std::string_view text) {
  text_place place{1, 1};
  const auto& context = error.context();
  if (context.match_elements<std::int32_t, std::int32_t>()) {
    place.line = static_cast<std::size_t>(std::max(1, context.get_as<std::int32_t>(0)));
    place.column = static_cast<std::size_t>(std::max(1, context.get_as<std::int32_t>(1)));
  }
  const auto code = static_cast<caf::pec>(error.code());
  if (code == caf::pec::unexpected_newline && place.line > 1) {
    // CAF counts a line break to the line that it begins.
    --place.line;
    place.column = line_of(text, place.line).size() + 1;
    return {place, "unexpected end of line"};
  }
  // For the same reason, its columns count from 2 in all lines but the first.
  if (place.line > 1 && place.column > 1)
    --place.column;
  const auto line = line_of(text, place.line);
  switch (code) {
  case caf::pec::trailing_character:
  case caf::pec::unexpected_character:
    if (place.column <= line.size())
      return {place, "unexpected " + quoted(line.substr(place.column - 1, 1))};
    return {place, "unexpected end of line"};
  case caf::pec::invalid_escape_sequence:
    return {place, "unknown escape sequence in a text"};
  default:
    return {place, printable(caf::to_string(code))};
  }
}

void collect(const caf::config_value& value, const std::string& path, std::set<std::string>& out);

void collect(const caf::settings& values, const std::string& path, std::set<std::string>& out) {
  for (const auto& [name, value] : values) {
    const auto full = path.empty() ? name : path + "." + name;
    out.insert(full);
    collect(value, full, out);
  }
}

void collect(const caf::config_value& value, const std::string& path, std::set<std::string>& out) {
  if (const auto* inner = caf::get_if<caf::settings>(&value))
    collect(*inner, path, out);
  else if (const auto* list = caf::get_if<caf::config_value::list>(&value))
    for (std::size_t i = 0; i < list->size(); ++i)
      collect((*list)[i], path + "[" + std::to_string(i) + "]", out);
}

/// Where CAF's parser and our scan have not understood the same.
std::optional<text_fault> disagreement(const spec_text& parsed) {
  std::set<std::string> paths;
  collect(parsed.values, {}, paths);
  for (const auto& key : parsed.keys)
    if (paths.erase(key.path) == 0)
      return text_fault{key.place, shortened(key.path) + ": has no value"};
  if (!paths.empty())
    return text_fault{{}, shortened(*paths.begin()) + ": is not written clearly"};
  return {};
}

}  // namespace

failure spec_failure(std::string_view source, text_place place, std::string_view what) {
  auto line = printable(source);
  if (place.line != 0)
    line += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  return {errc::bad_config, line + ": " + std::string{what}};
}

std::variant<spec_text, failure> read_spec_text(std::string_view text, std::string_view source) {
  const auto fail = [&](const text_fault& fault) { return spec_failure(source, fault.place, fault.what); };
  const auto clean = unix_text(text);
  spec_scan scan{clean};
  if (const auto fault = scan.run())
    return fail(*fault);
  spec_text result;
  try {
    // CAF cannot make an error without them; a second time does nothing.
    caf::core::init_global_meta_objects();
    std::istringstream in{clean};
    auto values = caf::actor_system_config::parse_config(in);
    if (!values)
      return fail(fault_of(values.error(), clean));
    result.values = std::move(*values);
  } catch (const std::exception& problem) {
    return spec_failure(source, {}, printable(problem.what()));
  }
  if (const auto& fault = scan.duplicate())
    return fail(*fault);
  result.keys = scan.keys();
  if (const auto fault = disagreement(result))
    return fail(*fault);
  return result;
}

}  // namespace quorate
