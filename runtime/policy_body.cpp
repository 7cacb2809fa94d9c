#include "runtime/policy_body.hpp"

#include "balancers/registry.hpp"
#include "runtime/json_text.hpp"

#include <nlohmann/json.hpp>

#include <set>

namespace quorate {

namespace {

using nlohmann::json;

/// The parsed body, or nothing where it is no JSON or an object has a name twice.
json parsed(std::string_view body) {
  std::vector<std::set<std::string>> names;
  const auto once = [&names](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start)
      names.emplace_back();
    else if (event == json::parse_event_t::object_end)
      names.pop_back();
    else if (event == json::parse_event_t::key && !names.back().insert(value.get<std::string>()).second)
      throw std::invalid_argument{"twice"};
    return true;
  };
  try {
    return json::parse(body, once);
  } catch (const std::exception&) {
    return json::value_t::discarded;
  }
}

std::optional<append_fault> read_options(const json& given, balancers::policy_options& out) {
  if (!given.is_object())
    return append_fault{"wrong_field", "The field \"options\" must be an object."};
  for (const auto& [name, value] : given.items())
    if (value.is_string())
      out[name] = value.get<std::string>();
    else if (value.is_number_integer())
      out[name] = value.dump();
    else
      return append_fault{"wrong_field",
                          "The option " + in_quotes(name) + " must be a whole number or a text."};
  return std::nullopt;
}

}  // namespace

std::variant<balancers::chosen_policy, append_fault> read_policy_body(std::string_view body) {
  const auto all = parsed(body);
  if (all.is_discarded())
    return append_fault{
        "malformed_json",
        "The body must be JSON without repeated names: {\"policy\":\"adaptive\",\"options\":{}}."};
  if (!all.is_object())
    return append_fault{"wrong_field", "The body must be an object."};
  std::string policy;
  balancers::policy_options options;
  for (const auto& [name, value] : all.items()) {
    if (name == "policy") {
      if (!value.is_string())
        return append_fault{"wrong_field", "The field \"policy\" must be a text."};
      policy = value.get<std::string>();
    } else if (name == "options") {
      if (auto fault = read_options(value, options))
        return std::move(*fault);
    } else {
      return append_fault{"unknown_field",
                          "There is no field " + in_quotes(name) + "; known: \"policy\", \"options\"."};
    }
  }
  if (!all.contains("policy"))
    return append_fault{"missing_field", "The field \"policy\" is missing."};
  auto chosen = choose_balancer(policy, options);
  if (const auto* wrong = std::get_if<failure>(&chosen))
    return append_fault{find_balancer(policy) ? "bad_option" : "unknown_policy", wrong->message + "."};
  return std::get<balancers::chosen_policy>(std::move(chosen));
}

}  // namespace quorate
