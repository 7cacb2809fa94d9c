#include "runtime/http_routes.hpp"

#include "actors/limits.hpp"
#include "runtime/append_body.hpp"
#include "runtime/append_log_format.hpp"
#include "runtime/http_query.hpp"
#include "runtime/json_text.hpp"
#include "runtime/policy_body.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace quorate {

namespace {

constexpr std::uint64_t timeout_ms_max = 60'000;

constexpr std::array<std::string_view, 1> append_parameters{"timeout_ms"};
constexpr std::array<std::string_view, 5> log_parameters{"from", "limit", "key", "consistency", "timeout_ms"};

struct http_route {
  std::string_view path;
  http_page page;
  std::string_view method;
  std::span<const std::string_view> parameters;
};

constexpr std::array<http_route, 5> routes{{
    {"/append_log", http_page::append_log, "POST", append_parameters},
    {"/log", http_page::log, "GET", log_parameters},
    {"/healthz", http_page::healthz, "GET", {}},
    {"/cluster", http_page::cluster, "GET", {}},
    {"/balancer", http_page::balancer, "PUT", {}},
}};

/// A target without "http://host", which clients send to what they think is a proxy.
std::string_view without_host(std::string_view target) {
  constexpr std::string_view scheme = "http://";
  if (!target.starts_with(scheme))
    return target;
  const auto path = target.find_first_of("/?", scheme.size());
  return path == target.npos ? std::string_view{"/"} : target.substr(path);
}

http_answer bad_parameter(std::string_view message) {
  return error_answer(400, "bad_parameter", message);
}

http_answer too_large(std::string_view what, std::string_view limit, std::size_t bytes) {
  return error_answer(413, "too_large",
                      "The " + std::string{what} + " is larger than " + std::string{limit} + " (" +
                          std::to_string(bytes) + " bytes).");
}

/// Nothing if `request` has its timeout now.
std::optional<http_answer> read_timeout(const http_query& query, std::chrono::milliseconds otherwise,
                                        client_request& request) {
  auto timeout = static_cast<std::uint64_t>(otherwise.count());
  if (auto fault = query.read("timeout_ms", 1, timeout_ms_max, timeout))
    return bad_parameter(*fault);
  request.timeout = std::chrono::milliseconds{timeout};
  return std::nullopt;
}

std::optional<http_answer> read_append(std::string_view body, client_request& request) {
  auto read = read_append_body(body);
  if (const auto* fault = std::get_if<append_fault>(&read))
    return error_answer(400, fault->code, fault->message);
  auto& entry = std::get<append_body>(read);
  if (entry.key.size() > limits::key_bytes_max)
    return too_large("key", "key_bytes_max", limits::key_bytes_max);
  if (entry.key.size() + entry.value.size() > limits::command_bytes_max)
    return too_large("key with its value", "command_bytes_max", limits::command_bytes_max);
  request.kind = request_kind::write;
  request.key = std::move(entry.key);
  request.body = payload{std::string{entry.value}};
  return std::nullopt;
}

std::optional<http_answer> read_log(const http_query& query, client_request& request) {
  log_query wanted;
  std::uint64_t limit = wanted.limit;
  if (auto fault = query.read("from", 0, std::numeric_limits<std::uint64_t>::max(), wanted.from))
    return bad_parameter(*fault);
  if (auto fault = query.read("limit", 1, limits::log_page_entries_max, limit))
    return bad_parameter(*fault);
  wanted.limit = static_cast<std::uint32_t>(limit);
  if (const auto* key = query.find("key")) {
    if (key->size() > limits::key_bytes_max)
      return bad_parameter("The parameter \"key\" is longer than key_bytes_max (" +
                           std::to_string(limits::key_bytes_max) + " bytes).");
    wanted.key = *key;
    request.key = *key;
  }
  request.kind = request_kind::read;
  if (const auto* consistency = query.find("consistency")) {
    if (*consistency == "local")
      request.kind = request_kind::read_local;
    else if (*consistency != "linearizable")
      return bad_parameter("The parameter \"consistency\" must be \"linearizable\" or \"local\".");
  }
  request.body = payload{encode(wanted)};
  return std::nullopt;
}

std::optional<http_answer> read_policy(std::string_view body, balancers::chosen_policy& out) {
  if (body.size() > limits::policy_bytes_max)
    return too_large("body", "policy_bytes_max", limits::policy_bytes_max);
  auto read = read_policy_body(body);
  if (const auto* fault = std::get_if<append_fault>(&read))
    return error_answer(400, fault->code, fault->message);
  out = std::get<balancers::chosen_policy>(std::move(read));
  return std::nullopt;
}

http_answer append_answer(std::string_view bytes, std::string_view node) {
  const auto index = decode_index(bytes);
  if (!index)
    return error_answer(500, "internal", "The state machine's answer is not an index.");
  http_answer answer;
  answer.body.reserve(64 + node.size());
  answer.body += R"({"status":"success","index":)";
  append_number(answer.body, *index);
  answer.body += R"(,"node":)";
  append_json_string(answer.body, node);
  answer.body += '}';
  return answer;
}

http_answer log_answer(std::string_view bytes) {
  const auto page = decode_log_page(bytes);
  if (!page)
    return error_answer(500, "internal", "The state machine's answer is not a page of the log.");
  http_answer answer;
  auto& out = answer.body;
  // An entry's numbers and names take about as much more as its binary head does.
  out.reserve(bytes.size() + 64 + 40 * page->entries.size());
  out += R"({"entries":[)";
  std::string_view before = R"({"index":)";
  for (const auto& entry : page->entries) {
    out += before;
    append_number(out, entry.index);
    out += R"(,"key":)";
    append_json_string(out, entry.key);
    out += R"(,"value":)";
    out += entry.value;
    out += '}';
    before = R"(,{"index":)";
  }
  out += R"(],"next":)";
  append_number(out, page->next);
  out += R"(,"end":)";
  append_number(out, page->end);
  out += '}';
  return answer;
}

struct error_row {
  unsigned status;
  std::string_view message;  ///< where the reply has none
};

error_row row_of(errc code) {
  switch (code) {
  case errc::no_quorum:
    return {503, "This node cannot reach a majority; the command was not executed and never will be."};
  case errc::unknown_outcome:
    return {504, "The deadline has passed; the command may or may not be executed."};
  case errc::session_expired:
    return {503, "The node's session has expired; the command was not executed."};
  case errc::overloaded:
    return {429, "A limit of this node is reached; the command was not executed."};
  case errc::too_large:
    return {413, "The command is larger than a limit of this cluster."};
  case errc::invalid_command:
    return {400, "The state machine cannot read the command."};
  case errc::not_founded:
    return {503, "This node does not belong to a cluster yet; the command was not executed."};
  case errc::moved:
    return {503, "This node is not a member any more; the command was not executed."};
  case errc::shutting_down:
    return {503, "This node is stopping; the command was not executed."};
  default:
    return {500, "The node has failed to answer."};
  }
}

}  // namespace

http_answer error_answer(unsigned status, std::string_view code, std::string_view message) {
  http_answer answer;
  answer.status = status;
  answer.body = R"({"status":"error","error":)";
  append_json_string(answer.body, code);
  answer.body += R"(,"message":)";
  append_json_string(answer.body, message);
  answer.body += '}';
  answer.retry = status == 429 || status == 503;
  return answer;
}

std::variant<http_call, http_answer> parse_call(std::string_view method, std::string_view target,
                                                std::string_view body, std::chrono::milliseconds timeout) {
  target = without_host(target);
  const auto question = std::min(target.find('?'), target.size());
  const auto path = target.substr(0, question);
  const auto found = std::ranges::find(routes, path, &http_route::path);
  if (found == routes.end())
    return error_answer(404, "not_found",
                        "There is no page " + in_quotes(path) +
                            "; try /append_log, /log, /healthz, /cluster or /balancer.");
  if (method != found->method) {
    auto answer =
        error_answer(405, "method_not_allowed",
                     "The page " + std::string{path} + " takes " + std::string{found->method} + " only.");
    answer.allow = found->method;
    return answer;
  }
  auto parsed = http_query::parse(target.substr(std::min(question + 1, target.size())), found->parameters);
  if (const auto* fault = std::get_if<std::string>(&parsed))
    return bad_parameter(*fault);
  const auto& query = std::get<http_query>(parsed);

  http_call call{found->page, {}, {}};
  if (auto fault = read_timeout(query, timeout, call.request))
    return std::move(*fault);
  auto fault = std::optional<http_answer>{};
  if (call.page == http_page::append_log)
    fault = read_append(body, call.request);
  else if (call.page == http_page::log)
    fault = read_log(query, call.request);
  else if (call.page == http_page::balancer)
    fault = read_policy(body, call.policy);
  if (fault)
    return std::move(*fault);
  return call;
}

http_answer answer_of(http_page page, const client_reply& reply, std::string_view node) {
  if (reply.code == errc::ok)
    return page == http_page::log ? log_answer(reply.body.view()) : append_answer(reply.body.view(), node);
  const auto row = row_of(reply.code);
  return error_answer(row.status, to_string(reply.code),
                      reply.body.empty() ? row.message : reply.body.view());
}

http_answer health_answer(bool ok, std::string_view reason) {
  if (ok)
    return {200, R"({"status":"ok"})", false, {}};
  return error_answer(503, "no_quorum", reason.empty() ? "This node cannot reach a majority." : reason);
}

http_answer balancer_answer(const std::string& policy, const status& failed) {
  if (failed)
    return error_answer(row_of(failed->code).status, to_string(failed->code), failed->message);
  http_answer answer;
  answer.body = R"({"status":"success","policy":)";
  append_json_string(answer.body, policy);
  answer.body += '}';
  return answer;
}

http_answer cluster_answer(std::string json) {
  return {200, std::move(json), false, {}};
}

}  // namespace quorate
