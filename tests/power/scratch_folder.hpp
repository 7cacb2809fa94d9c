// Where the recorded disks of a test are.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace quorate::testing {

/// A directory that goes away with the object: in memory where there is room, since what is measured is what
/// a disk would keep, and not how fast the one of this machine is.
class scratch_folder {
public:
  scratch_folder() {
    constexpr std::uintmax_t enough = 1u << 30;
    const std::filesystem::path memory = "/dev/shm";
    std::error_code none;
    const auto room = std::filesystem::space(memory, none);
    const auto above = !none && room.available >= enough ? memory : std::filesystem::temp_directory_path();
    auto name = (above / "quorate-power-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error{name + " cannot be made"};
    path_ = name;
  }
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

}  // namespace quorate::testing
