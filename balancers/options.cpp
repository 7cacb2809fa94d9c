#include "balancers/options.hpp"

#include <algorithm>
#include <charconv>

namespace quorate::balancers {

namespace {

failure wrong(std::string_view policy, std::string what) {
  return {errc::bad_config, std::string{policy} + ": " + std::move(what)};
}

}  // namespace

status read_numbers(std::string_view policy, const policy_options& given,
                    std::initializer_list<number_option> known) {
  for (const auto& [name, text] : given) {
    const auto* option = std::find_if(known.begin(), known.end(),
                                      [&wanted = name](const auto& o) { return o.name == wanted; });
    if (option == known.end()) {
      std::string names;
      for (const auto& o : known)
        names += (names.empty() ? "" : ", ") + std::string{o.name};
      return wrong(policy,
                   "unknown option " + name + (names.empty() ? " (it has none)" : " (known: " + names + ")"));
    }
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end || number < option->least || number > option->most)
      return wrong(policy, "option " + name + " must be a number from " + std::to_string(option->least) +
                               " to " + std::to_string(option->most) + ", not \"" + text + "\"");
    *option->target = number;
  }
  return std::nullopt;
}

}  // namespace quorate::balancers
