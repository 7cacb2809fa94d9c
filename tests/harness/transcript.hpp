// What happened in a simulation: a rolling hash, and text where somebody wants to read it.
#pragma once

#include "actors/ids.hpp"

#include <cstdio>
#include <string_view>

namespace quorate::testing {

/// A hash that goes on: equal sequences give equal values, on every machine.
class digest {
public:
  void mix(std::uint64_t value) {
    value_ = (value_ ^ value) * 0x9fb21c651e98df25ULL;
    value_ ^= value_ >> 32;
  }
  void mix(std::string_view bytes);
  [[nodiscard]] std::uint64_t value() const { return value_; }

private:
  std::uint64_t value_ = 0x51ed270b84d3a76fULL;
};

[[nodiscard]] inline std::uint64_t digest_of(std::string_view bytes) {
  digest sum;
  sum.mix(bytes);
  return sum.value();
}

/// The record of one run. Two runs of one seed must have equal hashes. Text is made only while tracing, since
/// it costs more than the simulation itself.
class transcript {
public:
  /// `sink` gets every line; null for the hash alone.
  explicit transcript(std::FILE* sink) : sink_(sink) {}

  [[nodiscard]] bool tracing() const { return sink_ != nullptr; }
  template <class T>
  void mix(const T& value) {
    hash_.mix(value);
  }
  /// One line of the trace.
  void line(time_point now, std::string_view who, std::string_view what) const;
  [[nodiscard]] std::uint64_t hash() const { return hash_.value(); }

private:
  digest hash_;
  std::FILE* sink_;
};

}  // namespace quorate::testing
