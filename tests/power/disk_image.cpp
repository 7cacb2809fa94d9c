#include "tests/power/disk_image.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace quorate::testing {

namespace fs = std::filesystem;

namespace {

bool same(const page_ptr& a, const page_ptr& b) {
  static const page zeros{};
  return a == b || (a ? *a : zeros) == (b ? *b : zeros);
}

void write_file(const fs::path& path, const file_image& f) {
  const auto fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  auto written = fd >= 0 && ::ftruncate(fd, static_cast<::off_t>(f.size)) == 0;
  for (std::size_t i = 0; written && i < f.pages.size() && i * page_bytes < f.size; ++i) {
    const auto n = std::min<std::uint64_t>(page_bytes, f.size - i * page_bytes);
    if (f.pages[i])
      written = ::pwrite(fd, f.pages[i]->data(), n, static_cast<::off_t>(i * page_bytes)) ==
                static_cast<::ssize_t>(n);
  }
  if (fd >= 0)
    ::close(fd);
  if (!written)
    throw std::runtime_error{path.string() + " cannot be written"};
}

}  // namespace

std::string bytes_of(const fs::path& path) {
  std::error_code none;
  const auto size = fs::file_size(path, none);
  std::string out(none ? 0 : size, '\0');
  std::ifstream in{path, std::ios::binary};
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return out;
}

std::string file_image::text() const {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < pages.size() && i * page_bytes < size; ++i)
    if (pages[i])
      std::memcpy(out.data() + i * page_bytes, pages[i]->data(),
                  std::min<std::uint64_t>(page_bytes, size - i * page_bytes));
  return out;
}

void disk_image::write(const fs::path& at) const {
  fs::remove_all(at);
  fs::create_directories(at);
  for (const auto& [path, there] : directories)
    fs::create_directories(at.string() + path);
  for (const auto& [path, f] : files)
    write_file(at.string() + path, f);
}

disk_image disk_image::read(const fs::path& at) {
  disk_image out;
  if (!fs::exists(at))
    return out;
  for (const auto& entry : fs::recursive_directory_iterator{at}) {
    const auto path = entry.path().string().substr(at.string().size());
    if (entry.is_directory()) {
      out.directories[path] = true;
      continue;
    }
    const auto bytes = bytes_of(entry.path());
    file_image f{bytes.size(), {}};
    for (std::size_t i = 0; i < bytes.size(); i += page_bytes) {
      const auto part = std::string_view{bytes}.substr(i, page_bytes);
      if (part.find_first_not_of('\0') == part.npos) {
        f.pages.emplace_back();
        continue;
      }
      auto one = std::make_shared<page>();
      std::memcpy(one->data(), part.data(), part.size());
      f.pages.push_back(std::move(one));
    }
    out.files.emplace(path, std::move(f));
  }
  return out;
}

std::string disk_image::difference(const disk_image& other) const {
  std::string out;
  for (const auto& [path, there] : directories)
    if (!other.directories.contains(path))
      out += path + "/ is in the first only\n";
  for (const auto& [path, there] : other.directories)
    if (!directories.contains(path))
      out += path + "/ is in the second only\n";
  for (const auto& [path, f] : files)
    if (!other.files.contains(path))
      out += path + " is in the first only\n";
  for (const auto& [path, second] : other.files) {
    const auto found = files.find(path);
    if (found == files.end()) {
      out += path + " is in the second only\n";
      continue;
    }
    const auto& first = found->second;
    if (first.size != second.size)
      out += path + " has " + std::to_string(first.size) + " and " + std::to_string(second.size) + " bytes\n";
    for (std::size_t i = 0; i < std::max(first.pages.size(), second.pages.size()); ++i)
      if (!same(i < first.pages.size() ? first.pages[i] : nullptr,
                i < second.pages.size() ? second.pages[i] : nullptr)) {
        out += path + " differs in page " + std::to_string(i) + "\n";
        break;
      }
  }
  return out;
}

}  // namespace quorate::testing
