// What a crash, or a disk, leaves of a write-ahead log.

#include "runtime/rocks_wal.hpp"
#include "tests/fuzz/target.hpp"

#include <stdlib.h>

#include <fstream>

namespace quorate::fuzz {

namespace {

/// In memory where there is such a place: a target runs thousands of times a second.
class scratch {
public:
  scratch() {
    const std::filesystem::path memory{"/dev/shm"};
    std::error_code none;
    auto name =
        ((std::filesystem::is_directory(memory, none) ? memory : std::filesystem::temp_directory_path()) /
         "quorate-fuzz-XXXXXX")
            .string();
    expect(::mkdtemp(name.data()) != nullptr, "a directory can be made");
    path = name;
  }
  ~scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  std::filesystem::path path;
};

}  // namespace

void wal_tail_bytes(std::string_view bytes) {
  static const scratch directory;
  const auto log = directory.path / "000004.log";
  std::ofstream{log, std::ios::binary | std::ios::trunc}.write(bytes.data(),
                                                               static_cast<std::streamsize>(bytes.size()));
  const auto mended = mend_log_tail(directory.path);
  if (const auto* failed = std::get_if<failure>(&mended)) {
    expect(failed->code == errc::corrupt && failed->message.find('\n') == std::string::npos,
           "a damaged log is told in one line");
    expect(std::filesystem::file_size(log) == bytes.size(), "a damaged log stays as it is");
    return;
  }
  const auto cut = std::get<std::uint64_t>(mended);
  expect(std::filesystem::file_size(log) == bytes.size() - cut, "what is cut off is told");
  const auto again = mend_log_tail(directory.path);
  expect(std::holds_alternative<std::uint64_t>(again) && std::get<std::uint64_t>(again) == 0,
         "a mended log needs no mending");
}

}  // namespace quorate::fuzz
