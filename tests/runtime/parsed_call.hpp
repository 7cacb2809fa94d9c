// Checks on what the HTTP interface makes of a request.
#pragma once

#include "runtime/http_routes.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace quorate {

inline http_answer refusal(std::string_view method, std::string_view target, std::string_view body = {}) {
  auto result = parse_call(method, target, body);
  REQUIRE_MESSAGE(std::holds_alternative<http_answer>(result), method << " " << target << " " << body);
  return std::get<http_answer>(std::move(result));
}

inline http_call accepted(std::string_view method, std::string_view target, std::string_view body = {}) {
  auto result = parse_call(method, target, body);
  if (const auto* answer = std::get_if<http_answer>(&result))
    FAIL(method << " " << target << " " << body << ": " << answer->body);
  return std::get<http_call>(std::move(result));
}

struct bad_request {
  std::string body_or_target;
  unsigned status;
  std::string code;
  std::string message;  ///< must be in the answer's message
};

inline void check_error(const http_answer& answer, const bad_request& wanted) {
  CAPTURE(wanted.body_or_target);
  CAPTURE(answer.body);
  CHECK(answer.status == wanted.status);
  const auto json = nlohmann::json::parse(answer.body);
  CHECK(json.size() == 3);
  CHECK(json.at("status") == "error");
  CHECK(json.at("error") == wanted.code);
  const auto message = json.at("message").get<std::string>();
  CHECK(message.find(wanted.message) != std::string::npos);
  CHECK(message.ends_with('.'));
  CHECK(answer.retry == (wanted.status == 429 || wanted.status == 503));
}

}  // namespace quorate
