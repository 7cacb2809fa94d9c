#include "tests/harness/process/log_pages.hpp"

#include <nlohmann/json.hpp>

namespace quorate::testing {

namespace {

using json = nlohmann::json;

json parse(std::string_view body) {
  return json::parse(body.begin(), body.end(), nullptr, false);
}

std::optional<std::uint64_t> number(const json& object, const char* name) {
  if (!object.is_object() || !object.contains(name) || !object[name].is_number_unsigned())
    return std::nullopt;
  return object[name].get<std::uint64_t>();
}

std::string text(const json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_string()
             ? object[name].get<std::string>()
             : std::string{};
}

}  // namespace

std::optional<log_page> parse_log_page(std::string_view body) {
  const auto page = parse(body);
  const auto next = number(page, "next");
  const auto end = number(page, "end");
  if (!next || !end || !page.contains("entries") || !page["entries"].is_array())
    return std::nullopt;
  log_page out{{}, *next, *end};
  out.entries.reserve(page["entries"].size());
  for (const auto& e : page["entries"]) {
    const auto index = number(e, "index");
    if (!index || !e.contains("key") || !e["key"].is_string() || !e.contains("value"))
      return std::nullopt;
    out.entries.push_back(
        {*index, text(e, "key"), e["value"].is_string() ? text(e, "value") : e["value"].dump()});
  }
  return out;
}

std::optional<std::uint64_t> parse_append_answer(std::string_view body) {
  const auto answer = parse(body);
  return text(answer, "status") == "success" && !text(answer, "node").empty() ? number(answer, "index")
                                                                              : std::nullopt;
}

std::string parse_error(std::string_view body) {
  const auto answer = parse(body);
  const auto message = text(answer, "message");
  return text(answer, "status") == "error" && !message.empty() ? text(answer, "error") : std::string{};
}

std::string append_text(std::string_view key, std::string_view value) {
  return json{{"key", key}, {"value", value}}.dump();
}

std::optional<std::vector<log_entry>> read_log(http_client& client, bool linearizable) {
  std::vector<log_entry> all;
  const std::string rest = linearizable ? "&limit=1000" : "&limit=1000&consistency=local";
  for (std::uint64_t from = 0;;) {
    const auto reply = client.get("/log?from=" + std::to_string(from) + rest);
    auto page = reply && reply->status == 200 ? parse_log_page(reply->body) : std::nullopt;
    if (!page)
      return std::nullopt;
    for (auto& e : page->entries)
      all.push_back(std::move(e));
    if (page->next >= page->end)
      return all;
    if (page->next <= from)
      return std::nullopt;
    from = page->next;
  }
}

std::optional<std::uint64_t> local_end(http_client& client) {
  const auto reply = client.get("/log?limit=1&consistency=local");
  const auto page = reply && reply->status == 200 ? parse_log_page(reply->body) : std::nullopt;
  return page ? std::optional{page->end} : std::nullopt;
}

}  // namespace quorate::testing
