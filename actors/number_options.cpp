#include "actors/number_options.hpp"

#include "actors/wording.hpp"

#include <algorithm>
#include <charconv>

namespace quorate {

status read_number_options(std::string_view owner, const std::vector<number_option>& known,
                           const std::map<std::string, std::string>& from) {
  const auto wrong = [&](const std::string& what) {
    return failure{errc::bad_config, std::string{owner} + ": " + what};
  };
  for (const auto& [name, text] : from) {
    const auto option = std::find_if(known.begin(), known.end(),
                                     [&wanted = name](const number_option& o) { return o.name == wanted; });
    if (option == known.end()) {
      std::vector<std::string> names;
      for (const auto& o : known)
        names.emplace_back(o.name);
      return wrong("unknown option " + shortened(name) +
                   (names.empty() ? " (it has none)" : " (known: " + listed(names) + ")"));
    }
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end || number < option->low || number > option->high)
      return wrong("option " + name + " must be a number from " + std::to_string(option->low) + " to " +
                   std::to_string(option->high) + ", not " + quoted(text));
    option->set(number);
  }
  return std::nullopt;
}

}  // namespace quorate
