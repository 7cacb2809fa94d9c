// A directory with all that is in it, at one moment.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace quorate::testing {

inline constexpr std::size_t page_bytes = 4096;
inline constexpr std::size_t sector_bytes = 512;

using page = std::array<char, page_bytes>;
/// Shared among all versions of a file in which it is the same. Null: zeros.
using page_ptr = std::shared_ptr<const page>;

/// The whole file, empty where there is none.
[[nodiscard]] std::string bytes_of(const std::filesystem::path& path);

struct file_image {
  std::uint64_t size = 0;
  std::vector<page_ptr> pages;  ///< missing ones are zeros

  [[nodiscard]] std::string text() const;
};

/// Files and directories by their paths below the root, with a slash in front. The root is always there.
struct disk_image {
  std::map<std::string, file_image> files;
  std::map<std::string, bool> directories;

  /// Makes the directory `at` with all this in it; what was there is gone.
  void write(const std::filesystem::path& at) const;
  [[nodiscard]] static disk_image read(const std::filesystem::path& at);
  /// What differs, one line each; empty where nothing does.
  [[nodiscard]] std::string difference(const disk_image& other) const;
};

}  // namespace quorate::testing
