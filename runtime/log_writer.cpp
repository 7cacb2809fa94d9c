#include "runtime/log_writer.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>

namespace quorate {

namespace {

constexpr std::chrono::milliseconds goodbye{500};

std::atomic<std::size_t> bytes_behind{0};  ///< of all writers

std::size_t lines_in(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

/// What the writer and its thread share: the thread may hang in a write when the writer is long gone.
struct log_writer::shared {
  shared(int fd, std::function<std::string(std::size_t)> line) : descriptor(fd), missing_line(std::move(line)) {}
  ~shared() {
    // The standard ones stay occupied.
    if (descriptor > STDERR_FILENO)
      ::close(descriptor);
  }
  shared(const shared&) = delete;
  shared& operator=(const shared&) = delete;

  const int descriptor;
  const std::function<std::string(std::size_t)> missing_line;
  std::mutex mutex;
  std::condition_variable changed;
  std::string waiting;
  std::size_t in_hand = 0;  ///< bytes that the thread has taken and not got rid of
  std::size_t missing = 0;  ///< lines that came when too much was waiting, after those in `waiting`
  bool writing = false;
  bool closing = false;

  // Only the thread touches these.
  std::size_t lost = 0;  ///< lines that could not be written
  bool torn = false;     ///< the last one was written in part

  [[nodiscard]] bool idle() const { return waiting.empty() && missing == 0 && !writing; }

  void run() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    std::unique_lock lock{mutex};
    for (;;) {
      changed.wait(lock, [&] { return !waiting.empty() || missing > 0 || closing; });
      if (waiting.empty() && missing == 0)
        return;
      const auto text = std::exchange(waiting, {});
      const auto left_out = std::exchange(missing, 0);
      in_hand = text.size();
      writing = true;
      lock.unlock();
      write_batch(text, left_out);
      bytes_behind -= text.size();
      lock.lock();
      in_hand = 0;
      writing = false;
      changed.notify_all();
    }
  }

  void write_batch(std::string_view text, std::size_t left_out) {
    if (lost > 0) {
      const auto line = missing_line(lost);
      if (put(line) < line.size()) {
        lost += lines_in(text) + left_out;
        return;
      }
      lost = 0;
    }
    lost = lines_in(text.substr(put(text)));
    if (left_out > 0) {
      const auto line = lost > 0 ? std::string{} : missing_line(left_out);
      if (line.empty() || put(line) < line.size())
        lost += left_out;
    }
  }

  /// How much of it has been written; less than all where nobody reads any more, or there is no room: then the next
  /// line tries again.
  std::size_t put(std::string_view text) {
    if (torn && write_all("\n") == 1)
      torn = false;
    if (torn)
      return 0;
    const auto done = write_all(text);
    torn = done > 0 && text[done - 1] != '\n';
    return done;
  }

  [[nodiscard]] std::size_t write_all(std::string_view text) const {
    std::size_t written = 0;
    while (written < text.size()) {
      const auto done = ::write(descriptor, text.data() + written, text.size() - written);
      if (done > 0) {
        written += static_cast<std::size_t>(done);
      } else if (done < 0 && errno == EAGAIN) {
        // Somebody who shares it has made it so.
        pollfd out{descriptor, POLLOUT, 0};
        static_cast<void>(::poll(&out, 1, -1));
      } else if (done == 0 || errno != EINTR) {
        break;
      }
    }
    return written;
  }
};

log_writer::log_writer(int descriptor, std::function<std::string(std::size_t)> missing)
    : shared_(std::make_shared<shared>(descriptor, std::move(missing))) {
  std::thread{[shared = shared_] { shared->run(); }}.detach();
}

log_writer::~log_writer() {
  static_cast<void>(flush(goodbye));
  {
    const std::lock_guard lock{shared_->mutex};
    shared_->closing = true;
  }
  shared_->changed.notify_all();
}

void log_writer::write(std::string_view lines) {
  {
    const std::lock_guard lock{shared_->mutex};
    if (shared_->missing > 0 || shared_->waiting.size() + shared_->in_hand + lines.size() > bytes_waiting_max) {
      shared_->missing += lines_in(lines);
      return;
    }
    shared_->waiting += lines;
    bytes_behind += lines.size();
  }
  shared_->changed.notify_all();
}

bool log_writer::flush(std::chrono::milliseconds within) {
  std::unique_lock lock{shared_->mutex};
  return shared_->changed.wait_for(lock, within, [&] { return shared_->idle(); });
}

bool log_writer::is_behind() noexcept {
  return bytes_behind.load() > 0;
}

}  // namespace quorate
