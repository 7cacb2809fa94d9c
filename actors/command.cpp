#include "actors/command.hpp"

#include "actors/bytes.hpp"
#include "actors/ensure.hpp"
#include "actors/limits.hpp"

namespace quorate {

namespace {

constexpr std::uint8_t format_version = 1;
constexpr std::size_t head_bytes = 1 + 4;
constexpr std::size_t command_head_bytes = 8 + 8 + 8 + 1 + 4 + 4;

}  // namespace

payload encode_commands(const std::vector<command>& commands) {
  ENSURE(!commands.empty() && commands.size() <= limits::batch_commands_max,
         "a batch of " + std::to_string(commands.size()) + " commands");
  std::size_t size = head_bytes;
  for (const auto& c : commands)
    size += command_head_bytes + c.key.size() + c.body.size();
  std::string out;
  out.reserve(size);
  out.push_back(static_cast<char>(format_version));
  put_little(out, static_cast<std::uint32_t>(commands.size()));
  for (const auto& c : commands) {
    put_little(out, c.id.session.value);
    put_little(out, c.id.number.value);
    put_little(out, c.done_below);
    put_little(out, static_cast<std::uint8_t>(c.kind));
    put_little(out, static_cast<std::uint32_t>(c.key.size()));
    put_little(out, static_cast<std::uint32_t>(c.body.size()));
    out += c.key;
    out += c.body.view();
  }
  return payload{std::move(out)};
}

std::optional<std::vector<command_view>> decode_commands(std::string_view bytes) {
  byte_reader in{bytes};
  if (in.little<std::uint8_t>() != format_version)
    return std::nullopt;
  const auto count = in.little<std::uint32_t>();
  // A count that the bytes cannot hold must not make us reserve memory for it.
  if (!in.ok() || count == 0 || count > limits::batch_commands_max || in.left() / command_head_bytes < count)
    return std::nullopt;
  std::vector<command_view> result(count);
  for (auto& c : result) {
    c.id.session = session_id{in.little<std::uint64_t>()};
    c.id.number = sequence{in.little<std::uint64_t>()};
    c.done_below = in.little<std::uint64_t>();
    const auto kind = in.little<std::uint8_t>();
    if (kind > static_cast<std::uint8_t>(command_kind::open_session))
      return std::nullopt;
    c.kind = static_cast<command_kind>(kind);
    const auto key_size = in.little<std::uint32_t>();
    const auto body_size = in.little<std::uint32_t>();
    c.key = in.take(key_size);
    c.body = in.take(body_size);
  }
  if (!in.ok() || !in.at_end())
    return std::nullopt;
  return result;
}

}  // namespace quorate
