// What the HTTP interface understands and how it answers; knows no sockets.
#pragma once

#include "actors/traffic.hpp"
#include "balancers/contract.hpp"
#include "runtime/http_errors.hpp"

#include <variant>

namespace quorate {

/// The pages of the HTTP interface.
enum class http_page : std::uint8_t { append_log, log, healthz, cluster, balancer };

/// An answer as a client is to see it.
struct http_answer {
  unsigned status = 200;
  std::string body;        ///< JSON, or nothing
  bool retry = false;      ///< with Retry-After: 1
  std::string_view allow;  ///< the methods to name in Allow; empty where there is nothing to say
};

/// A request that was understood. For pages append_log and log, `request` is complete but for its id.
struct http_call {
  http_page page = http_page::healthz;
  client_request request;
  balancers::chosen_policy policy = {};  ///< of page balancer
};

/// What a request asks for, or the answer where that can be given at once. Paths are
/// split, then decoded; query strings are decoded as forms are ("+" is a space); parameters that are unknown, twice there or malformed are refused by name.
[[nodiscard]] std::variant<http_call, http_answer>
parse_call(std::string_view method, std::string_view target, std::string_view body,
           std::chrono::milliseconds timeout = std::chrono::seconds{5});

/// The answer to a call on page append_log or log. `node` is this node's name.
[[nodiscard]] http_answer answer_of(http_page page, const client_reply& reply, std::string_view node);

/// `state` is ok, or why this node cannot serve.
[[nodiscard]] http_answer health_answer(errc state, std::string_view reason);
[[nodiscard]] http_answer cluster_answer(std::string json);
/// To PUT /balancer: nothing failed, or why.
[[nodiscard]] http_answer balancer_answer(const std::string& policy, const status& failed);

/// {"status":"error","error":code,"message":message} with the error's status; 429 and 503 come with Retry-After.
[[nodiscard]] http_answer error_answer(http_error error, std::string_view message);

}  // namespace quorate
