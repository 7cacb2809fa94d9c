// The last line of a process, which says why it ends.
#pragma once

#include <string_view>

namespace quorate {

/// From now on last lines go to `descriptor` and look like lines of the log of `node`. Before the first call they
/// go to stderr and begin with the program's name.
void last_lines_to(int descriptor, std::string_view node) noexcept;

/// Ends the process with exit code 1 and one last line, "<why><detail>", whatever the log's level is. The first
/// who calls it is heard, from whatever thread; the others wait for the end. Does not allocate, takes no lock
/// and may be called by a signal handler. Waits a moment for what the log has still to write, never for ever.
[[noreturn]] void end_process(std::string_view why, std::string_view detail = {}) noexcept;

/// Says `line`, in the form of a start that has failed ("node_runtime: …") or as a line of the log, behind what
/// the log has still to write and whatever its level is. Control characters become "?".
enum class line_form : bool { of_program, of_log };
void say_last(std::string_view line, line_form form) noexcept;

/// Makes whatever ends a process say so in one line: no memory (std::new_handler), exceptions that nobody takes,
/// abort(), a broken invariant and exit() of a library end it with exit code 1; SIGSEGV and its like as ever, by
/// the signal, after the line.
void install_endings() noexcept;

/// Ends the process with `exit_code` and this last line, unless it has ended by itself after so many seconds. Needs no
/// thread, which there may be none for. \pre `line` lives for ever
void end_after(unsigned seconds, const char* line, int exit_code) noexcept;

/// The process is about to end as it should: exit() is no surprise any more.
void expect_exit() noexcept;

}  // namespace quorate
