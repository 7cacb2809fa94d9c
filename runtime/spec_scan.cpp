#include "runtime/spec_scan.hpp"

#include "actors/wording.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace quorate {

namespace {

/// Open brackets within one another; a spec needs four.
constexpr std::size_t depth_max = 8;

struct unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

constexpr std::array units = {unit{"ns", 1},
                              unit{"us", 1'000},
                              unit{"ms", 1'000'000},
                              unit{"s", 1'000'000'000},
                              unit{"min", 60'000'000'000},
                              unit{"h", 3'600'000'000'000}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_key_char(char c) {
  return is_digit(c) || is_letter(c) || c == '-' || c == '_';
}
bool ends_word(char c) {
  return std::string_view{" \t\n#\"'=:{}[],<"}.find(c) != std::string_view::npos;
}

/// What a backslash and `c` stand for in quotes.
char unescaped(char c) {
  switch (c) {
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  default:
    return c;
  }
}

}  // namespace

std::optional<text_fault> spec_scan::run() {
  for (auto i = next_; i < text_.size(); ++i)
    if (const auto c = static_cast<unsigned char>(text_[i]);
        (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f) {
      const auto line_start = text_.substr(0, i).rfind('\n') + 1;
      const auto line = static_cast<std::size_t>(
          std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(i), '\n'));
      return text_fault{{line + 1, i - line_start + 1},
                        "byte " + std::to_string(c) + " does not belong into a text"};
    }
  stack_.emplace_back();
  while (next_ < text_.size())
    if (auto fault = step())
      return fault;
  if (auto fault = end_item())
    return fault;
  if (const auto& last = stack_.back(); last.close != 0) {
    token_place_ = last.opened;
    return at((last.path.empty() ? std::string{"the bracket"} : shortened(last.path)) +
              " is opened here and never closed");
  }
  return {};
}

void spec_scan::advance() {
  if (text_[next_++] == '\n')
    place_ = {place_.line + 1, 1};
  else
    ++place_.column;
}

std::optional<text_fault> spec_scan::step() {
  const auto c = text_[next_];
  switch (c) {
  case ' ':
  case '\t':
    advance();
    return {};
  case '#':
    while (next_ < text_.size() && text_[next_] != '\n')
      advance();
    return {};
  case '"':
  case '\'':
    return quote();
  case '{':
  case '[':
    return open(c);
  case '}':
  case ']':
    return close(c);
  case '=':
  case ':': {
    auto fault = in_list() || !has_token_ ? fault_here(c) : key();
    stack_.back().in_value = true;
    advance();
    return fault;
  }
  case ',':
  case '\n': {
    auto fault = end_item();
    // Commas count elements; what stands between them is for CAF to judge.
    if (c == ',')
      ++stack_.back().elements;
    advance();
    return fault;
  }
  case '<':
    return fault_here(c);
  default:
    return word();
  }
}

std::optional<text_fault> spec_scan::fault_here(char c) {
  token_place_ = place_;
  return at("unexpected " + quoted({&c, 1}));
}

std::optional<text_fault> spec_scan::take_token() {
  if (auto fault = separated())
    return fault;
  has_token_ = true;
  token_.clear();
  token_place_ = place_;
  return {};
}

std::optional<text_fault> spec_scan::separated() {
  const auto& top = stack_.back();
  if (!has_token_ && !top.closed)
    return {};
  token_place_ = place_;
  if (in_list())
    return at("a comma is missing before this");
  if (top.in_value || top.closed)
    return at("a comma or a line break is missing before this");
  return at("\"=\" is missing after " + quoted(token_));
}

std::optional<text_fault> spec_scan::quote() {
  if (auto fault = take_token())
    return fault;
  const auto mark = text_[next_];
  advance();
  while (next_ < text_.size() && text_[next_] != '\n') {
    auto c = text_[next_];
    advance();
    if (c == mark)
      return {};
    if (c == '\\' && next_ < text_.size() && text_[next_] != '\n') {
      c = unescaped(text_[next_]);
      advance();
    }
    token_.push_back(c);
  }
  return at("the text that begins here has no closing quote on its line");
}

std::optional<text_fault> spec_scan::word() {
  if (auto fault = take_token())
    return fault;
  while (next_ < text_.size() && !ends_word(text_[next_])) {
    token_.push_back(text_[next_]);
    advance();
  }
  if (in_list() || stack_.back().in_value)
    return check_value(token_);
  return {};
}

std::optional<text_fault> spec_scan::check_value(std::string_view word) const {
  if (word == "true" || word == "false")
    return {};
  auto rest = word;
  if (rest.starts_with('-') || rest.starts_with('+'))
    rest.remove_prefix(1);
  const auto digits =
      static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_digit) - rest.begin());
  if (digits == 0)
    return at(quoted(word) + " is not a value (a text needs quotes)");
  // CAF would read it as an octal number.
  if (digits > 1 && rest.starts_with('0'))
    return at(quoted(word) + ": a number must not begin with 0");
  if (digits > 18)
    return at(quoted(word) + " is too large a number");
  const auto number = std::stoll(std::string{rest.substr(0, digits)});
  rest.remove_prefix(digits);
  // A fraction; ranges (1..5) are not for specs, and could fill the memory.
  if (rest.starts_with('.') && rest.size() > 1) {
    rest.remove_prefix(1);
    rest.remove_prefix(
        static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_digit) - rest.begin()));
    if (!rest.empty() && !is_letter(rest.front()))
      return at(quoted(word) + " is not a number");
    if (!rest.empty())
      return at(quoted(word) + ": a duration is a whole number of ns, us, ms, s, min or h");
  }
  if (rest.empty())
    return {};
  const auto* found = std::find_if(units.begin(), units.end(), [&](const unit& u) { return u.name == rest; });
  if (found == units.end())
    return at(quoted(word) + " is neither a number nor a duration (ns, us, ms, s, min, h)");
  if (number > INT64_MAX / found->nanoseconds)
    return at(quoted(word) + " is too long a duration");
  return {};
}

std::optional<text_fault> spec_scan::key() {
  auto& top = stack_.back();
  if (top.in_value)
    return at("stray " + quoted(token_));
  // Dots would be a second way to write a path, in which CAF's parser recurses for the rest of the text.
  if (!std::all_of(token_.begin(), token_.end(), is_key_char) || token_.empty())
    return at(quoted(token_) + " cannot be a key: letters, digits, - and _ (and braces instead of dots)");
  value_path_ = top.path.empty() ? token_ : top.path + "." + token_;
  has_token_ = false;
  if (top.names.insert(token_).second) {
    keys_.push_back({value_path_, token_place_});
  } else if (!duplicate_) {
    const auto first =
        std::find_if(keys_.begin(), keys_.end(), [&](const auto& k) { return k.path == value_path_; });
    duplicate_ =
        at(shortened(value_path_) + ": stands twice, first in line " + std::to_string(first->place.line));
  }
  return {};
}

std::optional<text_fault> spec_scan::open(char bracket) {
  auto& top = stack_.back();
  frame inner;
  inner.close = bracket == '{' ? '}' : ']';
  inner.opened = place_;
  if (in_list()) {
    inner.path = top.path + "[" + std::to_string(top.elements) + "]";
  } else {
    if (bracket == '{' && !top.in_value && has_token_) {
      if (auto fault = key())
        return fault;
      stack_.back().in_value = true;
    }
    if (stack_.back().in_value)
      inner.path = value_path_;
    else if (bracket != '{' || stack_.size() != 1 || !keys_.empty())
      // Only the whole text may stand in braces of its own.
      return fault_here(bracket);
  }
  if (auto fault = separated())
    return fault;
  if (stack_.size() > depth_max) {
    token_place_ = place_;
    return at("brackets stand more than " + std::to_string(depth_max) + " deep in one another");
  }
  stack_.push_back(std::move(inner));
  advance();
  return {};
}

std::optional<text_fault> spec_scan::close(char bracket) {
  if (const auto& top = stack_.back(); top.close != bracket) {
    auto fault = fault_here(bracket);
    fault->what += top.close == 0
                       ? std::string{": nothing is open"}
                       : ": what line " + std::to_string(top.opened.line) + " opens is not closed yet";
    return fault;
  }
  if (auto fault = end_item())
    return fault;
  stack_.pop_back();
  stack_.back().closed = true;
  advance();
  return {};
}

std::optional<text_fault> spec_scan::end_item() {
  auto& top = stack_.back();
  if (has_token_ && !in_list() && !top.in_value)
    return at("stray " + quoted(token_) + ": a key needs a value on the same line");
  if (top.in_value && !has_token_ && !top.closed) {
    token_place_ = place_;
    return at(shortened(value_path_) + ": has no value on this line");
  }
  top.in_value = false;
  top.closed = false;
  has_token_ = false;
  return {};
}

}  // namespace quorate
