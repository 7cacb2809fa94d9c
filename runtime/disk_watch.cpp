#include "runtime/disk_watch.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <optional>

namespace quorate {

namespace {

constexpr std::chrono::seconds tell_every{1};

std::optional<disk_figures> figures_of(const std::filesystem::path& directory, std::uint64_t wanted) {
  struct statvfs facts {};
  if (::statvfs(directory.c_str(), &facts) != 0)
    return std::nullopt;
  const std::uint64_t block = facts.f_frsize;
  disk_figures out{facts.f_bavail * block, facts.f_blocks * block, 0};
  out.reserve = disk_reserve_for(out.total, wanted);
  return out;
}

std::string mebibytes(std::uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

disk_watch::disk_watch(disk_watch_setup setup)
    : setup_(std::move(setup)), gauges_(setup_.directories.size()) {
  look();
  thread_ = std::thread{[this] { run(); }};
}

disk_watch::~disk_watch() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

disk_figures disk_watch::figures() const {
  std::lock_guard lock{mutex_};
  return figures_;
}

void disk_watch::run() {
  std::unique_lock lock{mutex_};
  while (!changed_.wait_for(lock, setup_.every, [&] { return stopping_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

void disk_watch::look() {
  auto level = disk_level::roomy;
  std::optional<disk_figures> fullest;
  for (std::size_t i = 0; i < gauges_.size(); ++i) {
    const auto found = figures_of(setup_.directories[i], setup_.reserve);
    if (!found)
      continue;  // whoever writes there finds out what is wrong
    level = std::max(level, gauges_[i].measure(found->free, found->reserve));
    if (!fullest || found->free < fullest->free)
      fullest = found;
  }
  if (!fullest)
    return;
  {
    std::lock_guard lock{mutex_};
    figures_ = *fullest;
  }
  if (level_ == disk_level::roomy && level != disk_level::roomy)
    setup_.log(severity::warning, "the disk is nearly full: " + mebibytes(fullest->free) +
                                      " are free; below " + mebibytes(fullest->reserve) +
                                      " (cluster.limits.disk-reserve) this node takes no writes");
  untold_ += setup_.every;
  if (level == level_ && untold_ < tell_every)
    return;
  level_ = level;
  untold_ = {};
  setup_.tell(level);
}

}  // namespace quorate
