#include "tests/bench/parts/words.hpp"

#include <cstdio>

namespace quorate::bench {

std::string command_words::word(std::string_view name, std::string otherwise) {
  names_.insert(std::string{name} + "=");
  const auto start = std::string{name} + "=";
  for (const auto& one : given_)
    if (one.starts_with(start)) {
      used_.insert(one);
      otherwise = one.substr(start.size());
    }
  return otherwise;
}

std::vector<std::size_t> command_words::numbers(std::string_view name, std::vector<std::size_t> otherwise) {
  const auto text = word(name, {});
  if (text.empty())
    return otherwise;
  auto list = bench::numbers(text);
  if (list.empty()) {
    used_.erase(std::string{name} + "=" + text);
    return otherwise;
  }
  return list;
}

std::size_t command_words::number(std::string_view name, std::size_t otherwise) {
  const auto list = numbers(name, {otherwise});
  if (list.size() > 1)
    used_.clear();
  return list.front();
}

std::vector<std::string> command_words::words(std::string_view name, std::vector<std::string> otherwise) {
  const auto text = word(name, {});
  return text.empty() ? otherwise : bench::words(text);
}

bool command_words::flag(std::string_view name) {
  names_.insert(std::string{name});
  auto found = false;
  for (const auto& one : given_)
    if (one == name) {
      used_.insert(one);
      found = true;
    }
  return found;
}

bool command_words::understood() {
  for (const auto& one : given_) {
    if (used_.contains(one))
      continue;
    std::fprintf(stderr, "%s: cannot use \"%s\"; there are", program_.c_str(), one.c_str());
    for (const auto& name : names_)
      std::fprintf(stderr, " %s", name.c_str());
    std::fprintf(stderr, "\n");
    return false;
  }
  return true;
}

}  // namespace quorate::bench
