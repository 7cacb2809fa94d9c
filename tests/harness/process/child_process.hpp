// Another program, started, signalled and ended by a test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace quorate::testing {

/// How a process ended.
struct process_end {
  int exit_code = -1;  ///< -1: by a signal
  int signal = 0;      ///< 0: by itself

  bool operator==(const process_end&) const = default;
};

[[nodiscard]] std::string text(const process_end& end);

/// What a process gets besides its command line.
struct child_surroundings {
  std::vector<std::string> environment;  ///< "NAME=value", on top of the test's own
  int network = -1;                      ///< descriptor of a network namespace to run in
};

/// A process of another program. It dies with this object, and also when the thread that started it ends
/// (PR_SET_PDEATHSIG): start it from a thread that outlives it. Only the process that was started here is
/// signalled.
class child_process {
public:
  child_process() = default;
  ~child_process() { end(); }
  child_process(child_process&& other) noexcept;
  child_process& operator=(child_process&& other) noexcept;
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  /// Starts `words` (the first is the program's path); what it prints is appended to these files.
  /// \pre none of this object's processes runs.
  [[nodiscard]] bool start(const std::vector<std::string>& words, const std::filesystem::path& output,
                           const std::filesystem::path& errors, const child_surroundings& surroundings = {});

  [[nodiscard]] pid_t id() const { return pid_; }
  [[nodiscard]] bool running();
  void signal(int number);
  /// How it ended; nothing where it still runs at the end of `within`.
  [[nodiscard]] std::optional<process_end> wait(std::chrono::milliseconds within);
  /// SIGKILL, and waits. How it ended, which is some other way where it was not running any more.
  process_end end();

private:
  pid_t pid_ = -1;  // of a process that has not been waited for
  std::optional<process_end> ended_;
};

/// The whole file, empty where there is none.
[[nodiscard]] std::string file_text(const std::filesystem::path& path);

/// What a program that was let run to its end has said.
struct finished_program {
  std::optional<process_end> end;  ///< nothing: it was killed since it did not end in time
  std::string output;
  std::string errors;
};

/// Runs `words`; uses files in `scratch`.
[[nodiscard]] finished_program
run_program(const std::vector<std::string>& words, const std::filesystem::path& scratch,
            std::chrono::milliseconds within = std::chrono::milliseconds{10'000});

}  // namespace quorate::testing
