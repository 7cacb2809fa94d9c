#include "protocols/option_text.hpp"

#include <algorithm>
#include <charconv>

namespace quorate {

status read_number_options(const std::string& protocol, const std::vector<number_option>& known,
                           const std::map<std::string, std::string>& from) {
  for (const auto& [name, text] : from) {
    const auto option = std::find_if(known.begin(), known.end(),
                                     [&wanted = name](const number_option& o) { return o.name == wanted; });
    if (option == known.end()) {
      std::string names;
      for (const auto& o : known)
        names += (names.empty() ? "" : ", ") + o.name;
      return failure{errc::bad_config, protocol + ": unknown option " + name + " (known: " + names + ")"};
    }
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end || number < option->low || number > option->high)
      return failure{errc::bad_config, protocol + ": option " + name + " must be a number from " +
                                           std::to_string(option->low) + " to " +
                                           std::to_string(option->high) + ", not \"" + text + "\""};
    option->set(number);
  }
  return std::nullopt;
}

}  // namespace quorate
