// From the parsed text of a spec to the spec.
#pragma once

#include "runtime/cluster_spec.hpp"
#include "runtime/spec_text.hpp"

#include <caf/config_value.hpp>

#include <map>

namespace quorate {

/// Holds a parsed text against the table of keys, types and ranges, and fills in a cluster_spec.
class spec_reader {
public:
  /// All three outlive the reader.
  spec_reader(const spec_text& text, const known_names& known, std::string_view source)
      : text_(text), known_(known), source_(source) {}

  [[nodiscard]] spec_result run();

private:
  [[nodiscard]] status check_keys();
  [[nodiscard]] status unknown_key(const std::string& path) const;
  [[nodiscard]] status read_names();
  [[nodiscard]] status read_name(const std::string& path, std::string& out) const;
  [[nodiscard]] status read_nodes();
  [[nodiscard]] status read_node(std::size_t at);
  /// An IP address or a name, in its one spelling.
  [[nodiscard]] status read_host(const std::string& path, std::string_view text, std::string& out) const;
  [[nodiscard]] status read_endpoint(const std::string& path, std::string& to_host, std::uint16_t& to_port) const;
  [[nodiscard]] status check_addresses() const;
  [[nodiscard]] status read_options();
  [[nodiscard]] status read_options_of(const std::string& what, const std::string& used,
                                       const std::vector<std::string>& names,
                                       std::map<std::string, std::string>& out) const;
  [[nodiscard]] status read_timeouts();
  [[nodiscard]] status read_limits();
  [[nodiscard]] status read_duration(const std::string& path, duration least, duration most,
                                     duration& out) const;
  [[nodiscard]] status read_number(const std::string& path, std::uint64_t least, std::uint64_t most,
                                   std::uint64_t& out) const;

  void flatten(const caf::config_value& value, const std::string& path);
  [[nodiscard]] const caf::config_value* value_at(const std::string& path) const;
  [[nodiscard]] failure fail(const std::string& path, std::string_view what) const;

  const spec_text& text_;
  const known_names& known_;
  std::string_view source_;
  std::map<std::string, const caf::config_value*> values_;
  cluster_spec spec_;
};

}  // namespace quorate
