#include "tests/runtime/power_loss.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace quorate::testing {

namespace fs = std::filesystem;

power_loss::power_loss(fs::path root, prng& random) : root_(std::move(root)), random_(random) {
  tree_->directory = true;
}

void power_loss::plan(fault what, std::size_t calls) {
  const std::lock_guard guard{mutex_};
  planned_ = what;
  left_ = calls;
}

bool power_loss::struck() const {
  const std::lock_guard guard{mutex_};
  return struck_;
}

bool power_loss::killed() const {
  const std::lock_guard guard{mutex_};
  return dead_;
}

bool power_loss::goes_ahead(fault& what) {
  if (dead_) {
    errno = EIO;
    return false;
  }
  if (!planned_ || left_-- > 1)
    return true;
  what = *planned_;
  planned_.reset();
  struck_ = what != fault::short_write && what != fault::interrupted;
  dead_ = what == fault::kill;
  errno = what == fault::no_space ? ENOSPC : what == fault::interrupted ? EINTR : EIO;
  return what == fault::short_write;
}

power_loss::node_ptr power_loss::find(const fs::path& path) const {
  auto at = tree_;
  for (const auto& part : path.lexically_normal().lexically_relative(root_)) {
    if (part == ".")
      continue;
    const auto found = at->seen.find(part.string());
    if (found == at->seen.end())
      return nullptr;
    at = found->second;
  }
  return at;
}

void power_loss::rename(names& in, const names& what) {
  for (const auto& [name, to] : what) {
    if (to)
      in[name] = to;
    else
      in.erase(name);
  }
}

void power_loss::rename_in(node& directory, names what) {
  rename(directory.seen, what);
  directory.renamings.push_back(std::move(what));
}

int power_loss::open(const fs::path& path, int flags) {
  const std::lock_guard guard{mutex_};
  const auto known = find(path);
  auto what = fault::short_write;
  if ((flags & (O_CREAT | O_TRUNC)) != 0 && !goes_ahead(what))
    return -1;
  const auto fd = system_calls::open(path, flags);
  if (fd < 0)
    return fd;
  if (known && (flags & O_TRUNC) != 0)
    known->pending.push_back({});
  open_[fd] = known ? known : std::make_shared<node>();
  if (!known && (flags & O_CREAT) != 0) {
    rename_in(*find(path.parent_path()), {{path.filename().string(), open_[fd]}});
  }
  return fd;
}

ssize_t power_loss::pwrite(int fd, std::string_view bytes, std::uint64_t at) {
  const std::lock_guard guard{mutex_};
  auto what = fault::error;
  const auto alive = !dead_;
  const auto whole = goes_ahead(what);
  const auto partly = alive && (what == fault::short_write || what == fault::kill || what == fault::no_space);
  if (!whole && !partly)
    return -1;
  if (partly && !bytes.empty())
    bytes = bytes.substr(0, random_.below(bytes.size()) + (whole ? 1 : 0));
  if (bytes.empty())
    return -1;
  const auto error = errno;
  open_.at(fd)->pending.push_back({at, std::string{bytes}});
  const auto done = system_calls::pwrite(fd, bytes, at);
  errno = error;
  // A full disk takes what it can, and says so at the next call.
  return whole ? done : -1;
}

ssize_t power_loss::pread(int fd, char* to, std::size_t bytes, std::uint64_t at) {
  return system_calls::pread(fd, to, bytes, at);
}

int power_loss::sync(int fd) {
  const std::lock_guard guard{mutex_};
  auto what = fault::short_write;
  const auto alive = !dead_;
  const auto ahead = goes_ahead(what);
  auto& n = *open_.at(fd);
  if (!ahead) {
    if (alive && what == fault::error) {
      // Some of it got there, and none of the rest ever will by itself.
      std::erase_if(n.pending, [&](const change& c) {
        if (random_.chance(50))
          if (const auto part = torn(c))
            apply(n.bytes, *part);
        return true;
      });
    }
    return -1;
  }
  for (const auto& c : n.pending)
    apply(n.bytes, c);
  n.pending.clear();
  n.entries = n.seen;
  n.renamings.clear();
  return 0;
}

int power_loss::fsync(int fd) {
  return sync(fd);
}

int power_loss::fdatasync(int fd) {
  return sync(fd);
}

int power_loss::close(int fd) {
  const std::lock_guard guard{mutex_};
  open_.erase(fd);
  return system_calls::close(fd);
}

int power_loss::rename(const fs::path& from, const fs::path& to) {
  const std::lock_guard guard{mutex_};
  auto what = fault::error;
  if (!goes_ahead(what) && what != fault::interrupted)
    return -1;
  const auto moved = find(from);
  if (system_calls::rename(from, to) != 0)
    return -1;
  rename_in(*find(from.parent_path()),
            {{from.filename().string(), nullptr}, {to.filename().string(), moved}});
  return 0;
}

int power_loss::unlink(const fs::path& path) {
  const std::lock_guard guard{mutex_};
  auto what = fault::error;
  if (!goes_ahead(what) && what != fault::interrupted)
    return -1;
  if (system_calls::unlink(path) != 0)
    return -1;
  rename_in(*find(path.parent_path()), {{path.filename().string(), nullptr}});
  return 0;
}

int power_loss::mkdir(const fs::path& path) {
  const std::lock_guard guard{mutex_};
  auto what = fault::error;
  if (!goes_ahead(what) && what != fault::interrupted)
    return -1;
  if (system_calls::mkdir(path) != 0)
    return -1;
  auto made = std::make_shared<node>();
  made->directory = true;
  rename_in(*find(path.parent_path()), {{path.filename().string(), made}});
  return 0;
}

ssize_t power_loss::getrandom(void* to, std::size_t bytes) {
  const std::lock_guard guard{mutex_};
  std::string all;
  while (all.size() < bytes)
    all.push_back(static_cast<char>(random_.next()));
  std::memcpy(to, all.data(), bytes);
  return static_cast<ssize_t>(bytes);
}

// --- what is left
// ------------------------------------------------------------------------------------------------

void power_loss::apply(std::string& bytes, const change& c) {
  if (!c.bytes) {
    bytes.clear();
    return;
  }
  if (bytes.size() < c.at + c.bytes->size())
    bytes.resize(c.at + c.bytes->size(), '\0');
  bytes.replace(c.at, c.bytes->size(), *c.bytes);
}

// All of it, nothing, or what lies before or behind some sector's end.
std::optional<power_loss::change> power_loss::torn(const change& c) {
  const auto chance = random_.below(4);
  if (chance == 0)
    return std::nullopt;
  if (chance == 1 || !c.bytes)
    return c;
  const auto first = (c.at / sector + 1) * sector - c.at;
  if (c.bytes->size() <= first)
    return c;
  const auto cut = first + random_.below((c.bytes->size() - first - 1) / sector + 1) * sector;
  if (chance == 2)
    return change{c.at, c.bytes->substr(0, cut)};
  return change{c.at + cut, c.bytes->substr(cut)};
}

void power_loss::settle(node& n) {
  for (const auto& c : n.pending)
    if (const auto part = torn(c))
      apply(n.bytes, *part);
  n.pending.clear();
  for (const auto& renaming : n.renamings)
    if (random_.chance(50))
      rename(n.entries, renaming);
  n.renamings.clear();
  n.seen = n.entries;
  for (const auto& [name, below] : n.entries)
    settle(*below);
}

void power_loss::write_down(const node& n, const fs::path& path) const {
  for (const auto& [name, below] : n.entries) {
    if (below->directory) {
      fs::create_directory(path / name);
      write_down(*below, path / name);
    } else {
      std::ofstream{path / name, std::ios::binary} << below->bytes;
    }
  }
}

void power_loss::restart() {
  const std::lock_guard guard{mutex_};
  REQUIRE(open_.empty());
  dead_ = false;
  struck_ = false;
  planned_.reset();
}

void power_loss::lose_power() {
  restart();
  const std::lock_guard guard{mutex_};
  settle(*tree_);
  for (const auto& entry : fs::directory_iterator{root_})
    fs::remove_all(entry.path());
  write_down(*tree_, root_);
}

}  // namespace quorate::testing
