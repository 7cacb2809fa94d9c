// The scan of a cluster spec's text that comes before CAF's parser.
#pragma once

#include "runtime/spec_text.hpp"

#include <optional>
#include <set>
#include <vector>

namespace quorate {

/// What is wrong with a text, and where.
struct text_fault {
  text_place place;
  std::string what;
};

/// Walks once over a text: finds its keys and where they stand, and whatever CAF's parser does not notice or
/// cannot bear. It does not build values and does not judge what CAF judges well.
class spec_scan {
public:
  explicit spec_scan(std::string_view text) : text_(text) {}

  [[nodiscard]] std::optional<text_fault> run();
  /// In the order of the text; complete after a run without fault.
  [[nodiscard]] const std::vector<spec_key>& keys() const { return keys_; }
  /// The first key that stands twice. Kept apart: a mistake of syntax goes first.
  [[nodiscard]] const std::optional<text_fault>& duplicate() const { return duplicate_; }

private:
  /// An open bracket, or the whole text.
  struct frame {
    char close = 0;
    std::string path;
    text_place opened;
    std::size_t elements = 0;     ///< of a list
    bool in_value = false;        ///< behind a key's '='
    bool closed = false;          ///< a bracket has just been closed here: the value is complete
    std::set<std::string> names;  ///< of a dictionary
  };

  using fault = std::optional<text_fault>;

  [[nodiscard]] fault step();
  [[nodiscard]] fault quote();
  [[nodiscard]] fault word();
  [[nodiscard]] fault open(char bracket);
  [[nodiscard]] fault close(char bracket);
  [[nodiscard]] fault end_item();
  [[nodiscard]] fault key();
  [[nodiscard]] fault take_token();
  [[nodiscard]] fault separated();
  [[nodiscard]] fault fault_here(char c);
  [[nodiscard]] fault check_value(std::string_view word) const;
  [[nodiscard]] fault at(std::string what) const { return text_fault{token_place_, std::move(what)}; }
  [[nodiscard]] bool in_list() const { return stack_.back().close == ']'; }
  void advance();

  std::string_view text_;
  std::size_t next_ = 0;
  text_place place_{1, 1};
  std::vector<frame> stack_;
  std::string token_;  ///< the last word or quoted text, until it is used
  bool has_token_ = false;
  text_place token_place_{1, 1};
  std::string value_path_;  ///< of the last key
  std::vector<spec_key> keys_;
  std::optional<text_fault> duplicate_;
};

}  // namespace quorate
