#include "runtime/http_routes.hpp"

#include "actors/limits.hpp"
#include "runtime/append_body.hpp"
#include "runtime/append_log_format.hpp"
#include "runtime/http_query.hpp"
#include "runtime/http_target.hpp"
#include "runtime/json_text.hpp"
#include "runtime/policy_body.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace quorate {

namespace {

constexpr std::uint64_t timeout_ms_max = 60'000;

constexpr std::array<std::string_view, 2> append_parameters{"timeout_ms", "wait"};
constexpr std::array<std::string_view, 6> log_parameters{"from",        "limit",      "key",
                                                         "consistency", "timeout_ms", "wait"};

struct http_route {
  std::string_view name;  ///< the path's one segment
  http_page page;
  std::string_view method;
  std::string_view allow;  ///< every method that it takes
  std::span<const std::string_view> parameters;
};

constexpr std::string_view readable = "GET, HEAD, OPTIONS";

constexpr std::array<http_route, 5> routes{{
    {"append_log", http_page::append_log, "POST", "POST, OPTIONS", append_parameters},
    {"log", http_page::log, "GET", readable, log_parameters},
    {"healthz", http_page::healthz, "GET", readable, {}},
    {"cluster", http_page::cluster, "GET", readable, {}},
    {"balancer", http_page::balancer, "PUT", "PUT, OPTIONS", {}},
}};

/// Of the node as a whole: what some page takes.
constexpr std::string_view allowed_somewhere = "GET, HEAD, POST, PUT, OPTIONS";

/// The methods of RFC 9110 and RFC 5789. Others are nothing that a page could have meant to refuse.
constexpr std::array<std::string_view, 9> known_methods{"GET",    "HEAD",    "POST",    "PUT",  "DELETE",
                                                        "CONNECT", "OPTIONS", "TRACE", "PATCH"};

http_answer refuse_method(std::string_view message, std::string_view allow) {
  auto answer = error_answer(http_error::method_not_allowed, message);
  answer.allow = allow;
  return answer;
}

/// To OPTIONS: nothing but what is allowed.
http_answer options_answer(std::string_view allow) {
  http_answer answer;
  answer.allow = allow;
  return answer;
}

http_answer bad_parameter(std::string_view message) {
  return error_answer(http_error::bad_parameter, message);
}

http_answer too_large(std::string_view what, std::string_view limit, std::size_t bytes) {
  return error_answer(http_error::too_large,
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

/// Nothing if `request` knows now whether it waits where no majority is in sight.
std::optional<http_answer> read_wait(const http_query& query, client_request& request) {
  const auto* wait = query.find("wait");
  request.wait = wait != nullptr && *wait == "true";
  if (wait != nullptr && *wait != "true" && *wait != "false")
    return bad_parameter("The parameter \"wait\" must be \"true\" or \"false\".");
  return std::nullopt;
}

std::optional<http_answer> read_append(std::string_view body, client_request& request) {
  auto read = read_append_body(body);
  if (const auto* fault = std::get_if<append_fault>(&read))
    return error_answer(bad_body_error(fault->code), fault->message);
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
    return error_answer(bad_body_error(fault->code), fault->message);
  out = std::get<balancers::chosen_policy>(std::move(read));
  return std::nullopt;
}

http_answer append_answer(std::string_view bytes, std::string_view node) {
  const auto index = decode_index(bytes);
  if (!index)
    return error_answer(http_error::internal, "The state machine's answer is not an index.");
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
    return error_answer(http_error::internal, "The state machine's answer is not a page of the log.");
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

/// Where the reply has no sentence of its own.
std::string_view sentence_of(errc code) {
  switch (code) {
  case errc::no_quorum:
    return "This node cannot reach a majority; the command was not executed and never will be.";
  case errc::unknown_outcome:
    return "The deadline has passed; the command may or may not be executed.";
  case errc::session_expired:
    return "The node's session has expired; the command was not executed.";
  case errc::overloaded:
    return "A limit of this node is reached; the command was not executed.";
  case errc::too_large:
    return "The command is larger than a limit of this cluster.";
  case errc::invalid_command:
    return "The state machine cannot read the command.";
  case errc::not_founded:
    return "This node does not belong to a cluster yet; the command was not executed.";
  case errc::moved:
    return "This node is not a member any more; the command was not executed.";
  case errc::shutting_down:
    return "This node is stopping; the command was not executed.";
  case errc::disk_full:
    return "Too few members have room on their disks; the command was not executed and never will be.";
  case errc::state_differs:
    return "This node's state differs from that of a majority; the command was not executed.";
  default:
    return "The node has failed to answer.";
  }
}

}  // namespace

http_answer error_answer(http_error error, std::string_view message) {
  const auto& [_, status, code] = row_of(error);
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
  if (std::ranges::find(known_methods, method) == known_methods.end())
    return error_answer(http_error::not_implemented,
                        "The method " + in_quotes(method) + " is unknown; pages take " +
                            std::string{allowed_somewhere} + ".");
  if (method == "CONNECT")
    return refuse_method("This node is no proxy.", allowed_somewhere);
  auto read = read_target(target);
  if (const auto* fault = std::get_if<target_fault>(&read))
    return *fault == target_fault::bad_host
               ? error_answer(http_error::malformed_request, "The target's host is not host or host:port.")
               : error_answer(http_error::bad_path,
                              "The path has a percent sign without two hexadecimal digits behind it.");
  const auto& wanted = std::get<http_target>(read);
  if (wanted.whole_server && method == "OPTIONS")
    return options_answer(allowed_somewhere);
  const auto found = wanted.segments.size() == 1
                         ? std::ranges::find(routes, wanted.segments.front(), &http_route::name)
                         : routes.end();
  if (found == routes.end())
    return error_answer(http_error::not_found,
                        "There is no page " + in_quotes(wanted.path) +
                            "; try /append_log, /log, /healthz, /cluster or /balancer.");
  if (method == "OPTIONS")
    return options_answer(found->allow);
  // The answer to HEAD is that to GET; whoever sends it leaves the body out.
  if (method != found->method && (method != "HEAD" || found->method != "GET"))
    return refuse_method("The page /" + std::string{found->name} + " takes " + std::string{found->allow} +
                             " only.",
                         found->allow);
  auto parsed = http_query::parse(wanted.query, found->parameters);
  if (const auto* fault = std::get_if<std::string>(&parsed))
    return bad_parameter(*fault);
  const auto& query = std::get<http_query>(parsed);

  http_call call{found->page, {}, {}};
  if (auto fault = read_timeout(query, timeout, call.request))
    return std::move(*fault);
  if (auto fault = read_wait(query, call.request))
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
  return error_answer(http_error_of(reply.code),
                      reply.body.empty() ? sentence_of(reply.code) : reply.body.view());
}

http_answer health_answer(errc state, std::string_view reason) {
  if (state == errc::ok)
    return {200, R"({"status":"ok"})", false, {}};
  return error_answer(state == errc::disk_full ? http_error::unready : http_error::no_quorum,
                      reason.empty() ? sentence_of(state) : reason);
}

http_answer balancer_answer(const std::string& policy, const status& failed) {
  if (failed)
    return error_answer(http_error_of(failed->code), failed->message);
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
