#include "runtime/key_value.hpp"

#include "actors/bytes.hpp"

namespace quorate {

namespace {

enum class verb : std::uint8_t { get = 1, put = 2, erase = 3, compare_and_set = 4 };

std::string stored_key(std::string_view key) {
  return "k" + std::string{key};
}

void put_optional(std::string& out, const std::optional<std::string_view>& text) {
  put_little(out, static_cast<std::uint8_t>(text.has_value()));
  if (!text)
    return;
  put_little(out, static_cast<std::uint32_t>(text->size()));
  out += *text;
}

/// False where the bytes hold no such thing.
bool read_optional(byte_reader& in, std::optional<std::string_view>& text) {
  const auto present = in.little<std::uint8_t>();
  if (present == 1)
    text = in.take(in.little<std::uint32_t>());
  return in.ok() && present <= 1;
}

std::string begin_with(verb what) {
  return std::string(1, static_cast<char>(what));
}

machine_answer invalid() {
  return {errc::invalid_command, "The command is not one that a key-value map can read."};
}

machine_answer answer_of(bool changed) {
  return {errc::ok, std::string(1, changed ? '\1' : '\0')};
}

machine_answer execute(const command_view& command, machine_state& state) {
  byte_reader in{command.body};
  const auto what = static_cast<verb>(in.little<std::uint8_t>());
  auto key = stored_key(command.key);
  switch (what) {
  case verb::put: {
    state.put(std::move(key), std::string{in.take(in.left())});
    return answer_of(true);
  }
  case verb::erase: {
    if (!in.at_end())
      return invalid();
    const auto existed = state.get(key).has_value();
    if (existed)
      state.erase(std::move(key));
    return answer_of(existed);
  }
  case verb::compare_and_set: {
    std::optional<std::string_view> expected;
    std::optional<std::string_view> desired;
    if (!read_optional(in, expected) || !read_optional(in, desired) || !in.at_end())
      return invalid();
    if (state.get(key) != expected)
      return answer_of(false);
    if (desired)
      state.put(std::move(key), std::string{*desired});
    else
      state.erase(std::move(key));
    return answer_of(true);
  }
  case verb::get:
    break;
  }
  return invalid();
}

}  // namespace

std::string key_value::put(std::string_view value) {
  return begin_with(verb::put).append(value);
}

std::string key_value::erase() {
  return begin_with(verb::erase);
}

std::string key_value::compare_and_set(std::optional<std::string_view> expected,
                                       std::optional<std::string_view> desired) {
  auto out = begin_with(verb::compare_and_set);
  put_optional(out, expected);
  put_optional(out, desired);
  return out;
}

std::optional<bool> key_value::changed(std::string_view answer) {
  if (answer.size() != 1 || static_cast<std::uint8_t>(answer[0]) > 1)
    return std::nullopt;
  return answer[0] == '\1';
}

std::string key_value::get(std::string_view key) {
  return begin_with(verb::get).append(key);
}

std::optional<key_value::found> key_value::value_in(std::string_view answer) {
  if (answer.empty() || static_cast<std::uint8_t>(answer[0]) > 1)
    return std::nullopt;
  if (answer[0] == '\1')
    return found{answer.substr(1)};
  if (answer.size() > 1)
    return std::nullopt;
  return found{};
}

void key_value::apply(log_index /*index*/, std::span<const command_view> commands, machine_state& state,
                      std::vector<machine_answer>& answers) {
  answers.reserve(answers.size() + commands.size());
  for (const auto& command : commands)
    answers.push_back(execute(command, state));
}

machine_answer key_value::query(std::string_view request, const store_view& view) const {
  byte_reader in{request};
  if (static_cast<verb>(in.little<std::uint8_t>()) != verb::get)
    return {errc::invalid_command, "The query is not one that a key-value map can read."};
  const auto value = view.get(stored_key(in.take(in.left())));
  if (!value)
    return {errc::ok, std::string(1, '\0')};
  return {errc::ok, "\1" + *value};
}

}  // namespace quorate
