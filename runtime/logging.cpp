#include "runtime/logging.hpp"

#include "actors/outbox.hpp"
#include "actors/wording.hpp"
#include "runtime/last_line.hpp"
#include "runtime/log_writer.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/sink.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>

namespace quorate {

namespace {

constexpr std::array<std::string_view, 6> level_names = {"trace", "debug", "info", "warn", "error", "off"};

/// Severities from this number on are written.
std::atomic<int> threshold{static_cast<int>(severity::error) + 1};

std::unique_ptr<spdlog::formatter> formatter_for(std::string_view node) {
  std::string pattern = "%Y-%m-%dT%H:%M:%S.%eZ %L ";
  for (const auto c : printable(node))
    pattern += c == '%' ? std::string{"%%"} : std::string{c};
  // UTC: the lines of nodes in several places can be laid side by side.
  return std::make_unique<spdlog::pattern_formatter>(pattern + (node.empty() ? "%v" : " %v"),
                                                     spdlog::pattern_time_type::utc, "\n");
}

std::string formatted(spdlog::formatter& formatter, const spdlog::details::log_msg& msg) {
  spdlog::memory_buf_t line;
  formatter.format(msg, line);
  return {line.data(), line.size()};
}

/// Stands in the place of lines that nobody has taken.
std::string missing_line(spdlog::formatter& formatter, std::size_t count) {
  const auto text = "log " + std::to_string(count) + (count == 1 ? " line is" : " lines are") +
                    " missing here: whoever reads the log did not take them";
  return formatted(formatter, {"", spdlog::level::warn, text});
}

class writer_sink final : public spdlog::sinks::sink {
public:
  writer_sink(int descriptor, std::string_view node)
      : formatter_(formatter_for(node)),
        writer_(descriptor, [own = std::shared_ptr{formatter_for(node)}](std::size_t count) {
          return missing_line(*own, count);
        }) {}

  void log(const spdlog::details::log_msg& msg) override {
    const std::lock_guard lock{mutex_};
    writer_.write(formatted(*formatter_, msg));
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
  void await_written(std::chrono::milliseconds within) { static_cast<void>(writer_.flush(within)); }

private:
  std::mutex mutex_;
  std::unique_ptr<spdlog::formatter> formatter_;
  log_writer writer_;
};

struct open_log {
  std::shared_ptr<writer_sink> sink;
  std::shared_ptr<spdlog::logger> logger;
};

std::mutex current_mutex;
// Lives for as long as any thread that might log, beyond the end of main.
open_log& current() {
  static auto* const log = new open_log;
  return *log;
}

open_log current_log() {
  const std::lock_guard lock{current_mutex};
  return current();
}

/// The least severity that `level` shows, as a number; one above all for off.
int threshold_of(log_level level) {
  switch (level) {
  case log_level::trace:
  case log_level::debug:
    return static_cast<int>(severity::debug);
  case log_level::info:
    return static_cast<int>(severity::info);
  case log_level::warn:
    return static_cast<int>(severity::warning);
  case log_level::error:
    return static_cast<int>(severity::error);
  case log_level::off:
    break;
  }
  return static_cast<int>(severity::error) + 1;
}

spdlog::level::level_enum spdlog_level(severity level) {
  switch (level) {
  case severity::debug:
    return spdlog::level::debug;
  case severity::info:
    return spdlog::level::info;
  case severity::warning:
    return spdlog::level::warn;
  case severity::error:
    break;
  }
  return spdlog::level::err;
}

}  // namespace

std::optional<log_level> log_level_of(std::string_view name) {
  for (std::size_t i = 0; i < level_names.size(); ++i)
    if (level_names[i] == name)
      return static_cast<log_level>(i);
  return std::nullopt;
}

void start_logging(std::string_view node, log_level level) {
  // A descriptor of the log's own: nobody else writes to it, closes it or gets its number.
  auto descriptor = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (descriptor < 0)
    descriptor = STDERR_FILENO;
  open_log log;
  log.sink = std::make_shared<writer_sink>(descriptor, node);
  log.logger = std::make_shared<spdlog::logger>("quorate", log.sink);
  // log_enabled has decided already.
  log.logger->set_level(spdlog::level::trace);
  last_lines_to(descriptor, printable(node));
  {
    const std::lock_guard lock{current_mutex};
    std::swap(current(), log);
  }
  threshold.store(threshold_of(level));
}

bool log_enabled(severity level) noexcept {
  return static_cast<int>(level) >= threshold.load(std::memory_order_relaxed);
}

void log(severity level, std::string_view prefix, std::string_view line) {
  if (!log_enabled(level))
    return;
  auto text = printable(prefix);
  if (!text.empty() && !line.empty())
    text += ' ';
  text += printable(line);
  // Not as a format: braces in it mean nothing. spdlog keeps its own exceptions.
  if (const auto open = current_log(); open.logger)
    open.logger->log(spdlog_level(level), spdlog::string_view_t{text.data(), text.size()});
}

void flush_logging(std::chrono::milliseconds within) {
  if (const auto open = current_log(); open.sink)
    open.sink->await_written(within);
}

}  // namespace quorate
