#include "runtime/append_body.hpp"

#include "runtime/json_text.hpp"

#include <nlohmann/json.hpp>

#include <optional>

namespace quorate {

namespace {

using json = nlohmann::json;

/// Follows a JSON text while the library validates it: checks the envelope's fields, decodes the key, and
/// notes which member the value is. It does not learn where the value stands, since the library does not
/// tell.
class envelope_check {
public:
  // --- what the library calls, in the text's order ---
  bool null() { return scalar(nullptr); }
  bool boolean(bool) { return scalar(nullptr); }
  bool number_integer(json::number_integer_t) { return scalar(nullptr); }
  bool number_unsigned(json::number_unsigned_t) { return scalar(nullptr); }
  bool number_float(json::number_float_t, const json::string_t&) { return scalar(nullptr); }
  bool binary(json::binary_t&) { return scalar(nullptr); }
  bool string(json::string_t& text) { return scalar(&text); }
  bool start_object(std::size_t) { return open(true); }
  bool start_array(std::size_t) { return open(false); }
  bool end_array() { return close(); }
  bool end_object() { return close(); }

  bool key(json::string_t& name) {
    if (depth_ != level_)
      return true;
    ++members_;
    const auto wraps = level_ == 1 && name == "log_entry";
    if (level_ == 1 && (wraps ? members_ > 1 && !wrapped_ : wrapped_))
      fail("unknown_field", "Where there is a field \"log_entry\", it must be the only one.");
    member_ = member::other;
    if (name == "key")
      take(member::key, has_key_, name);
    else if (name == "value")
      take(member::value, has_value_, name);
    else if (wraps)
      take(member::log_entry, wrapped_, name);
    else
      fail("unknown_field",
           "The field " + in_quotes(name) + " is unknown; \"key\" and \"value\" are expected.");
    if (member_ == member::value)
      value_member_ = members_ - 1;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& error) {
    const std::string_view what{error.what()};
    const auto at = " at byte " + std::to_string(position) + ".";
    if (what.find("UTF-8") != what.npos)
      malformed_ = "The body is not valid UTF-8" + at;
    else if (what.find("number overflow") != what.npos)
      malformed_ = "The body has a number that is too large" + at;
    else
      malformed_ = "The body is not valid JSON" + at;
    return false;
  }

  // --- afterwards ---
  [[nodiscard]] std::optional<append_fault> fault(bool accepted) const {
    if (malformed_)
      return append_fault{"malformed_json", *malformed_};
    if (fault_)
      return fault_;
    const std::string prefix = wrapped_ ? "log_entry." : "";
    if (!has_key_)
      return append_fault{"missing_field", "The field \"" + prefix + "key\" is missing."};
    if (!has_value_)
      return append_fault{"missing_field", "The field \"" + prefix + "value\" is missing."};
    if (!accepted)
      return append_fault{"malformed_json", "The body is not valid JSON."};
    return std::nullopt;
  }
  [[nodiscard]] bool wrapped() const { return wrapped_; }
  [[nodiscard]] std::size_t value_member() const { return value_member_; }
  [[nodiscard]] std::string& key_text() { return key_; }

private:
  enum class member : std::uint8_t { other, key, value, log_entry };

  void fail(std::string_view code, std::string message) {
    if (!fault_)
      fault_ = append_fault{code, std::move(message)};
  }

  void take(member what, bool& seen, const std::string& name) {
    if (seen)
      fail("duplicate_field", "The field \"" + name + "\" is there twice.");
    seen = true;
    member_ = what;
  }

  /// A value begins; `text` is it where it is a string.
  void value_of_member(const std::string* text, bool is_object) {
    if (depth_ == 0) {
      if (!is_object)
        fail("wrong_field", "The body must be a JSON object.");
      return;
    }
    if (depth_ != level_)
      return;
    if (member_ == member::key) {
      if (text != nullptr)
        key_ = *text;
      else
        fail("wrong_field", "The field \"key\" must be a string.");
    } else if (member_ == member::log_entry) {
      if (is_object) {
        level_ = 2;
        members_ = 0;
      } else {
        fail("wrong_field", "The field \"log_entry\" must be an object.");
      }
    }
  }

  bool scalar(const std::string* text) {
    value_of_member(text, false);
    return true;
  }

  bool open(bool is_object) {
    value_of_member(nullptr, is_object);
    ++depth_;
    if (depth_ <= level_ + limits::json_depth_max)
      return true;
    fault_ = append_fault{"too_deep", "The value has more than json_depth_max (" +
                                          std::to_string(limits::json_depth_max) +
                                          ") arrays and objects within one another."};
    // Nothing that follows can make it better, and the rest may be long.
    return false;
  }

  bool close() {
    if (depth_ == level_ && level_ == 2)
      level_ = 1;
    --depth_;
    return true;
  }

  std::size_t depth_ = 0;    // open arrays and objects
  std::size_t level_ = 1;    // the depth at which key and value are expected
  std::size_t members_ = 0;  // members so far of the object at that depth
  std::size_t value_member_ = 0;
  member member_ = member::other;
  bool has_key_ = false;
  bool has_value_ = false;
  bool wrapped_ = false;
  std::string key_;
  std::optional<append_fault> fault_;
  std::optional<std::string> malformed_;
};

/// Walks over a JSON text that is known to be valid, and still never leaves it.
class json_walk {
public:
  explicit json_walk(std::string_view text) : text_(text) {}

  /// The bytes of the value of the object's member number `wanted`; empty where there is none.
  [[nodiscard]] std::string_view member_value(std::size_t wanted) {
    skip_space();
    if (!skip('{'))
      return {};
    for (std::size_t member = 0;; ++member) {
      skip_space();
      skip_string();
      skip_space();
      if (!skip(':'))
        return {};
      skip_space();
      const auto begin = at_;
      skip_value();
      if (member == wanted)
        return text_.substr(begin, at_ - begin);
      skip_space();
      if (!skip(','))
        return {};
    }
  }

private:
  [[nodiscard]] bool more() const { return at_ < text_.size(); }

  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  static bool is_bracket(char c) { return c == '{' || c == '}' || c == '[' || c == ']'; }

  void skip_space() {
    while (more() && is_space(text_[at_]))
      ++at_;
  }

  bool skip(char c) {
    if (!more() || text_[at_] != c)
      return false;
    ++at_;
    return true;
  }

  void skip_string() {
    if (!skip('"'))
      return;
    while (true) {
      while (more() && text_[at_] != '"' && text_[at_] != '\\')
        ++at_;
      if (!more() || text_[at_++] == '"')
        return;
      at_ = std::min(at_ + 1, text_.size());
    }
  }

  void skip_value() {
    std::size_t depth = 0;
    do {
      if (!more())
        return;
      const auto c = text_[at_];
      if (c == '"') {
        skip_string();
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
      } else if (c == '}' || c == ']') {
        --depth;
        ++at_;
      } else if (depth == 0) {
        // A number or a literal.
        while (more() && !is_space(text_[at_]) && text_[at_] != ',' && !is_bracket(text_[at_]))
          ++at_;
      } else {
        // The same, and what stands between values.
        while (more() && text_[at_] != '"' && !is_bracket(text_[at_]))
          ++at_;
      }
    } while (depth > 0);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::variant<append_body, append_fault> read_append_body(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == body.npos)
    return append_fault{"malformed_json", "The body is empty; a JSON object is expected."};
  // The library takes a zero byte for the end of its input, and would accept anything behind it.
  if (const auto zero = body.find('\0'); zero != body.npos)
    return append_fault{"malformed_json",
                        "The body is not valid JSON at byte " + std::to_string(zero + 1) + "."};
  // The library skips this mark; RFC 8259 does not want it.
  if (body.starts_with("\xef\xbb\xbf"))
    return append_fault{"malformed_json",
                        "The body begins with a byte order mark, which JSON does not have."};

  envelope_check check;
  auto accepted = false;
  try {
    accepted = json::sax_parse(body.data(), body.data() + body.size(), &check);
  } catch (const std::exception&) {
    accepted = false;
  }
  if (auto fault = check.fault(accepted))
    return std::move(*fault);

  auto text = body;
  if (check.wrapped())
    text = json_walk{text}.member_value(0);
  return append_body{std::move(check.key_text()), json_walk{text}.member_value(check.value_member())};
}

}  // namespace quorate
