#include "runtime/durable_files.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace quorate {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t names_noted_max = 8;

template <class Call>
auto until_done(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR)
    result = call();
  return result;
}

}  // namespace

failure durable_files::cannot(const fs::path& path, const std::string& what) {
  return {errc::io_failed, path.string() + " cannot be " + what + ": " + std::strerror(errno)};
}

fs::path durable_files::unfinished(const fs::path& path) {
  return path.string() + ".new";
}

file_descriptor durable_files::open(const fs::path& path, int flags) const {
  return {*calls_, until_done([&] { return calls_->open(path, flags); })};
}

status durable_files::write(const file_descriptor& to, const fs::path& path, std::uint64_t at,
                            std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto done = until_done([&] { return calls_->pwrite(to.get(), bytes, at); });
    if (done < 0)
      return cannot(path, "written");
    if (done == 0)
      return failure{errc::io_failed, path.string() + " cannot be written: the system takes nothing more"};
    at += static_cast<std::uint64_t>(done);
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return std::nullopt;
}

status durable_files::read(const file_descriptor& from, const fs::path& path, std::uint64_t at,
                           std::size_t bytes, std::string& out) const {
  out.resize(bytes);
  std::size_t have = 0;
  while (have < bytes) {
    const auto done =
        until_done([&] { return calls_->pread(from.get(), out.data() + have, bytes - have, at + have); });
    if (done < 0)
      return cannot(path, "read");
    if (done == 0)
      break;
    have += static_cast<std::size_t>(done);
  }
  out.resize(have);
  return std::nullopt;
}

// A sync that was interrupted has not failed: nothing has been given up by it.
status durable_files::sync(const file_descriptor& file, const fs::path& path) const {
  if (until_done([&] { return calls_->fsync(file.get()); }) != 0)
    return cannot(path, "synced");
  return std::nullopt;
}

status durable_files::sync_data(const file_descriptor& file, const fs::path& path) const {
  if (until_done([&] { return calls_->fdatasync(file.get()); }) != 0)
    return cannot(path, "synced");
  return std::nullopt;
}

status durable_files::sync_directory(const fs::path& path) const {
  const auto directory = open(path, O_RDONLY | O_DIRECTORY);
  if (!directory.is_open())
    return cannot(path, "opened");
  return sync(directory, path);
}

status durable_files::make_directories(const fs::path& path) const {
  std::vector<fs::path> missing;
  std::error_code error;
  auto p = fs::absolute(path, error).lexically_normal();
  if (!error && !p.has_filename())  // a trailing slash
    p = p.parent_path();
  for (; !error && !p.empty() && !fs::exists(p, error); p = p.parent_path())
    missing.push_back(p);
  if (error)
    return failure{errc::io_failed, path.string() + " cannot be reached: " + error.message()};
  for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
    if (calls_->mkdir(*it) != 0 && errno != EEXIST)
      return cannot(*it, "made");
    if (auto failed = sync_directory(it->parent_path()))
      return failed;
  }
  if (!fs::is_directory(path, error))
    return failure{errc::bad_config, path.string() + " is not a directory"};
  return std::nullopt;
}

status durable_files::sync_way_to(const fs::path& path) const {
  std::error_code error;
  auto p = fs::canonical(path, error);
  if (error)
    return failure{errc::io_failed, path.string() + " cannot be reached: " + error.message()};
  for (; p.has_relative_path(); p = p.parent_path()) {
    const auto directory = open(p.parent_path(), O_RDONLY | O_DIRECTORY);
    // One that we may not read was not made by us, nor does every file system know how to sync one.
    if (!directory.is_open())
      continue;
    if (auto failed = sync(directory, p.parent_path()); failed && errno != EINVAL && errno != EROFS)
      return failed;
  }
  return std::nullopt;
}

status durable_files::replace(const fs::path& path, std::string_view bytes) const {
  const auto whole_later = unfinished(path);
  const auto make = [&]() -> status {
    const auto file = open(whole_later, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.is_open())
      return cannot(whole_later, "made");
    if (auto failed = write(file, whole_later, 0, bytes))
      return failed;
    return sync(file, whole_later);
  };
  auto failed = make();
  if (!failed && calls_->rename(whole_later, path) != 0)
    failed = cannot(path, "replaced");
  if (failed) {
    // So that a full disk is not made fuller.
    static_cast<void>(remove(whole_later));
    return failed;
  }
  return sync_directory(path.parent_path());
}

std::variant<std::optional<std::string>, failure> durable_files::read_whole(const fs::path& path,
                                                                            std::size_t bytes_max) const {
  const auto file = open(path, O_RDONLY | O_NONBLOCK);
  if (!file.is_open() && errno == ENOENT)
    return std::optional<std::string>{};
  if (!file.is_open())
    return cannot(path, "opened");
  std::string bytes;
  if (auto failed = read(file, path, 0, bytes_max, bytes))
    return std::move(*failed);
  return std::optional{std::move(bytes)};
}

status durable_files::remove(const fs::path& path) const {
  if (calls_->unlink(path) != 0 && errno != ENOENT)
    return cannot(path, "removed");
  return std::nullopt;
}

std::optional<std::string> durable_files::note_of_strange(const fs::path& directory,
                                                          const std::set<std::string>& names) {
  if (names.empty())
    return std::nullopt;
  std::string list;
  std::size_t left = names.size();
  for (auto name : names) {
    if (left + names_noted_max == names.size()) {
      list += " and " + std::to_string(left) + " more";
      break;
    }
    // A line of the log stays one line.
    for (auto& c : name)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
        c = '?';
    list += (list.empty() ? "" : ", ") + name;
    --left;
  }
  return directory.string() + " holds what is not this node's own, which is left alone: " + list;
}

std::variant<std::uint64_t, failure> durable_files::random_number() const {
  std::uint64_t number = 0;
  const auto got = until_done([&] { return calls_->getrandom(&number, sizeof(number)); });
  if (got != static_cast<ssize_t>(sizeof(number)))
    return failure{errc::io_failed, std::string{"the system gives no random numbers: "} +
                                        (got < 0 ? std::strerror(errno) : "fewer bytes than were asked for")};
  return number;
}

}  // namespace quorate
