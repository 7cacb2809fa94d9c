#include "runtime/logging.hpp"

#include "actors/outbox.hpp"
#include "actors/wording.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>

namespace quorate {

namespace {

constexpr std::array<std::string_view, 6> level_names = {"trace", "debug", "info", "warn", "error", "off"};

/// Severities from this number on are written.
std::atomic<int> threshold{static_cast<int>(severity::error) + 1};

std::mutex current_mutex;
std::shared_ptr<spdlog::logger> current;

std::shared_ptr<spdlog::logger> current_logger() {
  const std::lock_guard lock{current_mutex};
  return current;
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

std::string pattern_for(std::string_view node) {
  std::string pattern = "%H:%M:%S.%e %L ";
  for (const auto c : printable(node))
    pattern += c == '%' ? std::string{"%%"} : std::string{c};
  return pattern + (node.empty() ? "%v" : " %v");
}

}  // namespace

std::optional<log_level> log_level_of(std::string_view name) {
  for (std::size_t i = 0; i < level_names.size(); ++i)
    if (level_names[i] == name)
      return static_cast<log_level>(i);
  return std::nullopt;
}

void start_logging(std::string_view node, log_level level) {
  auto logger =
      std::make_shared<spdlog::logger>("quorate", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern(pattern_for(node));
  // log_enabled has decided already.
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::warn);
  {
    const std::lock_guard lock{current_mutex};
    current = std::move(logger);
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
  if (const auto logger = current_logger())
    logger->log(spdlog_level(level), spdlog::string_view_t{text.data(), text.size()});
}

}  // namespace quorate
