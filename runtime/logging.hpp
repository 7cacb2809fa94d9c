// Log lines of a process, on stderr: "2026-11-27T12:00:00.123Z I n2 acceptor g0 e0 promised 5.n2".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace quorate {

enum class severity : std::uint8_t;

/// From which severity on lines are written; `trace` shows what `debug` shows as long as nothing is finer.
enum class log_level : std::uint8_t { trace, debug, info, warn, error, off };

/// The level called "trace", "debug", "info", "warn", "error" or "off".
[[nodiscard]] std::optional<log_level> log_level_of(std::string_view name);

/// Lines carry the name of `node` from now on; empty where many nodes live in one process. They go to what stderr is
/// now, whatever becomes of descriptor 2 later. Before the first call nothing is logged. Any thread; a later call
/// replaces the earlier one.
void start_logging(std::string_view node, log_level level);

/// Cheap: ask before putting a line together.
[[nodiscard]] bool log_enabled(severity level) noexcept;

/// Writes "<prefix> <line>", in one piece and without control characters, whatever `line` holds. `prefix`
/// says who speaks ("acceptor g0 e0") and may be empty. Any thread; never waits for whoever reads the log: see
/// runtime/log_writer.hpp for what is dropped then.
void log(severity level, std::string_view prefix, std::string_view line);

/// Waits until all lines so far are written, but not for longer than this.
void flush_logging(std::chrono::milliseconds within);

}  // namespace quorate
