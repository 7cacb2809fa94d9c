// The command line of a measuring program.
#pragma once

#include "tests/bench/parts/figures.hpp"

#include <set>
#include <string_view>

namespace quorate::bench {

/// Takes "--name=value" and "--name". Whatever nobody has asked for, and whatever is not what was asked for,
/// is a mistake of the caller.
class command_words {
public:
  command_words(std::string program, int argc, char** argv)
      : program_(std::move(program)), given_(argv + 1, argv + argc) {}

  [[nodiscard]] std::string word(std::string_view name, std::string otherwise);
  [[nodiscard]] std::size_t number(std::string_view name, std::size_t otherwise);
  [[nodiscard]] std::vector<std::size_t> numbers(std::string_view name, std::vector<std::size_t> otherwise);
  [[nodiscard]] std::vector<std::string> words(std::string_view name, std::vector<std::string> otherwise);
  /// "--name" without a value.
  [[nodiscard]] bool flag(std::string_view name);
  /// After the last question: whether all words were understood; the first that was not is printed, with all
  /// names there are.
  [[nodiscard]] bool understood();

private:
  std::string program_;
  std::vector<std::string> given_;
  std::set<std::string> names_;
  std::set<std::string> used_;
};

}  // namespace quorate::bench
