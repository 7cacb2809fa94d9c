#include "tests/power/history_file.hpp"

#include <nlohmann/json.hpp>

#include <fstream>

namespace quorate::testing {

namespace {

using json = nlohmann::json;
using std::chrono::nanoseconds;

}  // namespace

void save_history(const append_history& history, const std::filesystem::path& file) {
  std::ofstream out{file, std::ios::binary};
  for (const auto& a : history.appends)
    out << json{{"node", a.node},
                {"key", a.key},
                {"value", a.value},
                {"invoked", a.invoked.count()},
                {"returned", a.returned.count()},
                {"fate", static_cast<int>(a.fate)},
                {"index", a.index}}
        << "\n";
  for (const auto& r : history.reads) {
    auto entries = json::array();
    for (const auto& e : r.page.entries)
      entries.push_back({e.index, e.key, e.value});
    out << json{{"node", r.node},   {"invoked", r.invoked.count()}, {"returned", r.returned.count()},
                {"from", r.from},   {"entries", entries},           {"next", r.page.next},
                {"end", r.page.end}}
        << "\n";
  }
}

append_history load_history(const std::filesystem::path& file) {
  append_history out;
  std::ifstream in{file, std::ios::binary};
  for (std::string line; std::getline(in, line);) {
    const auto j = json::parse(line);
    const nanoseconds invoked{j["invoked"].get<std::int64_t>()};
    const nanoseconds returned{j["returned"].get<std::int64_t>()};
    if (!j.contains("entries")) {
      out.appends.push_back({j["node"], j["key"], j["value"], invoked, returned,
                             static_cast<append_fate>(j["fate"].get<int>()), j["index"]});
      continue;
    }
    read_record r{j["node"], invoked, returned, j["from"], {{}, j["next"], j["end"]}};
    for (const auto& e : j["entries"])
      r.page.entries.push_back({e[0], e[1], e[2]});
    out.reads.push_back(std::move(r));
  }
  return out;
}

}  // namespace quorate::testing
