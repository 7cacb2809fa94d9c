#include "runtime/library_output.hpp"

#include "actors/outbox.hpp"
#include "actors/sanitized.hpp"
#include "runtime/logging.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>

namespace quorate {

namespace {

/// Whoever aborts has printed why just before: that belongs to the process's last line, not to a line of its own.
constexpr std::chrono::milliseconds log_after{100};

std::atomic<int> reading_end{-1};

void log_lines(std::string_view text) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    if (!line.empty())
      log(severity::warning, "library", line);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
}

void keep_logging(int from) {
  std::array<char, 16 * 1024> bytes;
  for (;;) {
    pollfd in{from, POLLIN, 0};
    if (::poll(&in, 1, -1) < 1)
      continue;
    std::this_thread::sleep_for(log_after);
    const auto got = ::read(from, bytes.data(), bytes.size());
    if (got > 0)
      log_lines({bytes.data(), static_cast<std::size_t>(got)});
  }
}

}  // namespace

void capture_library_output() {
  // A sanitizer's report is not for the log, and is longer than a line.
  if (sanitized)
    return;
  // Whoever prints more than fits, or after the reader has gone with the process, is not held up.
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    return;
  ::dup2(ends[1], STDERR_FILENO);
  ::close(ends[1]);
  reading_end = ends[0];
  std::thread{&keep_logging, ends[0]}.detach();
}

std::size_t take_library_output(char* into, std::size_t size) noexcept {
  const auto from = reading_end.load();
  std::size_t have = 0;
  std::array<char, 512> piece;
  for (;;) {
    const auto got = from < 0 ? 0 : ::read(from, piece.data(), std::min(piece.size(), size));
    if (got <= 0)
      break;
    const auto more = static_cast<std::size_t>(got);
    const auto dropped = have + more > size ? have + more - size : 0;
    std::memmove(into, into + dropped, have - dropped);
    std::memcpy(into + have - dropped, piece.data(), more);
    have += more - dropped;
  }
  while (have > 0 && into[have - 1] == '\n')
    --have;
  return have;
}

}  // namespace quorate
