// Fixed-size little- and big-endian numbers in byte strings, and a reader that cannot run past the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace quorate {

/// Appends `value`, little-endian.
template <class UInt>
void put_little(std::string& out, UInt value) {
  for (std::size_t i = 0; i < sizeof(UInt); ++i)
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> (8 * i))));
}

/// Appends `value`, big-endian, so that byte order is number order: for keys.
template <class UInt>
void put_big(std::string& out, UInt value) {
  for (std::size_t i = sizeof(UInt); i-- > 0;)
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> (8 * i))));
}

/// The key of a number in an ordered store: eight bytes, big-endian.
[[nodiscard]] inline std::string ordered_key(std::uint64_t value) {
  std::string out;
  put_big(out, value);
  return out;
}

/// Reads numbers and texts from bytes that may be anything. After the first short read `ok()` is false for
/// ever, and everything read from then on is zero or empty.
class byte_reader {
public:
  explicit byte_reader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

  template <class UInt>
  [[nodiscard]] UInt little() {
    const auto raw = take(sizeof(UInt));
    UInt value = 0;
    for (std::size_t i = 0; i < raw.size(); ++i)
      value = static_cast<UInt>(
          value | static_cast<UInt>(static_cast<UInt>(static_cast<std::uint8_t>(raw[i])) << (8 * i)));
    return value;
  }

  template <class UInt>
  [[nodiscard]] UInt big() {
    const auto raw = take(sizeof(UInt));
    UInt value = 0;
    for (const auto c : raw)
      value = static_cast<UInt>(static_cast<UInt>(value << 8) | static_cast<std::uint8_t>(c));
    return value;
  }

  [[nodiscard]] std::string_view take(std::size_t n) {
    if (!ok_ || rest_.size() < n) {
      ok_ = false;
      return {};
    }
    const auto result = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return result;
  }

private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace quorate
