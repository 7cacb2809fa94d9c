// The replicated log as clients read it.
#pragma once

#include "tests/harness/process/http_client.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quorate::testing {

struct log_entry {
  std::uint64_t index = 0;
  std::string key;
  std::string value;  ///< JSON, as the library prints it; text values as the text itself

  bool operator==(const log_entry&) const = default;
};

struct log_page {
  std::vector<log_entry> entries;
  std::uint64_t next = 0;
  std::uint64_t end = 0;
};

/// The body of an answer to GET /log; nothing where it is none.
[[nodiscard]] std::optional<log_page> parse_log_page(std::string_view body);
/// "index" of an answer to POST /append_log; nothing where it is no success.
[[nodiscard]] std::optional<std::uint64_t> parse_append_answer(std::string_view body);
/// "error" of an answer; empty where it is not of the documented form.
[[nodiscard]] std::string parse_error(std::string_view body);
/// What a client posts to append the text `value`.
[[nodiscard]] std::string append_text(std::string_view key, std::string_view value);

/// The whole log, page after page; nothing where one is not answered with 200.
[[nodiscard]] std::optional<std::vector<log_entry>> read_log(http_client& client, bool linearizable);
/// How long a node's own log is, now.
[[nodiscard]] std::optional<std::uint64_t> local_end(http_client& client);

}  // namespace quorate::testing
