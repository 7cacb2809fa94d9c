// A directory for what a measurement writes.
#pragma once

#include <stdlib.h>

#include <filesystem>

namespace quorate::bench {

/// A directory of its own, in `TMPDIR`, that goes away with the object. Empty path: it could not be made.
class scratch {
public:
  scratch() {
    auto name = (std::filesystem::temp_directory_path() / "quorate-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr)
      path_ = name;
  }
  ~scratch() {
    std::error_code ignored;
    if (!path_.empty())
      std::filesystem::remove_all(path_, ignored);
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

}  // namespace quorate::bench
