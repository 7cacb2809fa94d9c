#include "tests/power/recorded_disk.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>

namespace quorate::testing {

namespace fs = std::filesystem;

namespace {

template <std::size_t Size>
void put(std::array<char, Size>& to, const std::string& text) {
  if (text.size() >= Size)
    throw std::length_error{text};
  std::memcpy(to.data(), text.c_str(), text.size() + 1);
}

}  // namespace

// --- walking
// ----------------------------------------------------------------------------------------------------

disk_walk::disk_walk(const disk_image& base, std::vector<std::shared_ptr<const disk_trace>> traces)
    : model_(base), traces_(std::move(traces)) {}

void disk_walk::to(std::uint64_t moment) {
  for (; trace_ < traces_.size(); ++trace_, event_ = 0) {
    const auto& events = traces_[trace_]->events();
    if (event_ == 0 && trace_ > 0) {
      if (!events.empty() && events.front().began > moment)
        return;
      model_.process_ends();
    }
    for (; event_ < events.size(); ++event_) {
      if (events[event_].began > moment)
        return;
      model_.apply(events[event_]);
    }
  }
}

void disk_walk::to_the_end() {
  to(std::numeric_limits<std::uint64_t>::max());
}

// --- recording
// --------------------------------------------------------------------------------------------------

recorded_disk::recorded_disk(fs::path folder, std::string name)
    : folder_(std::move(folder)), name_(std::move(name)) {
  const auto path = file("control");
  const auto fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  auto* at = MAP_FAILED;
  if (fd >= 0 && ::ftruncate(fd, sizeof(disk_control)) == 0)
    at = ::mmap(nullptr, sizeof(disk_control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd >= 0)
    ::close(fd);
  if (at == MAP_FAILED)
    throw std::runtime_error{path.string() + " cannot be made"};
  control_ = static_cast<disk_control*>(at);
  show();
}

recorded_disk::~recorded_disk() {
  ::munmap(control_, sizeof(disk_control));
}

std::vector<std::string> recorded_disk::environment() const {
  const auto* asan = std::getenv("ASAN_OPTIONS");
  return {"LD_PRELOAD=" QUORATE_RECORD_DISK_LIBRARY, "QUORATE_DISK_CONTROL=" + file("control").string(),
          // AddressSanitizer wants to be loaded first, and is not told that this is no accident.
          "ASAN_OPTIONS=" + std::string{asan == nullptr ? "" : asan} + ":verify_asan_link_order=0"};
}

void recorded_disk::fresh_control(const disk_weather& weather, bool recorded) {
  // No process has it any more: the lock may have died with one.
  auto* c = new (control_) disk_control{};
  pthread_mutexattr_t shared;
  ::pthread_mutexattr_init(&shared);
  ::pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&shared, PTHREAD_MUTEX_ROBUST);
  ::pthread_mutexattr_settype(&shared, PTHREAD_MUTEX_RECURSIVE);
  ::pthread_mutex_init(&c->lock, &shared);
  ::pthread_mutexattr_destroy(&shared);
  put(c->root, data().string());
  if (recorded)
    put(c->trace, trace_file(traces_.size()).string());
  c->no_syncs = recorded ? 0 : 1;
  c->sync_takes = recorded ? 300 : 0;
  put(c->lost_syncs, weather.lost_syncs);
  c->lost_syncs_from = weather.lost_syncs_from;
  c->fault_kinds = weather.fault_kinds;
  c->fault_error = static_cast<std::uint32_t>(weather.fault_error);
  c->fault_stays = weather.fault_stays ? 1 : 0;
  put(c->fault_part, weather.fault_part);
  c->fault_at = weather.fault_at;
  c->short_write_every = weather.short_write_every;
  c->kill_at = weather.kill_at;
}

void recorded_disk::record(const disk_weather& weather) {
  fs::remove(trace_file(traces_.size()));
  fresh_control(weather, true);
}

void recorded_disk::show(const disk_weather& weather) {
  fresh_control(weather, false);
}

void recorded_disk::hold() {
  if (::pthread_mutex_lock(&control_->lock) == EOWNERDEAD)
    ::pthread_mutex_consistent(&control_->lock);
}

void recorded_disk::release() {
  ::pthread_mutex_unlock(&control_->lock);
}

std::string recorded_disk::boot_ends() {
  traces_.push_back(std::make_shared<disk_trace>(trace_file(traces_.size())));
  if (const auto& trouble = traces_.back()->trouble(); !trouble.empty())
    return trouble;
  auto all = walk();
  all.to_the_end();
  const auto wrong = all.model().cached().difference(disk_image::read(data()));
  return wrong.empty() ? wrong : "the trace is not what has happened (trace, disk):\n" + wrong;
}

void recorded_disk::lose_power(disk_image left) {
  for (std::size_t boot = 0; boot < traces_.size(); ++boot)
    fs::remove(trace_file(boot));
  traces_.clear();
  left.write(data());
  base_ = std::move(left);
}

void recorded_disk::put_aside(const disk_image& other) {
  fs::remove_all(file("aside"));
  if (fs::exists(data()))
    fs::rename(data(), file("aside"));
  other.write(data());
}

void recorded_disk::put_back() {
  fs::remove_all(data());
  if (fs::exists(file("aside")))
    fs::rename(file("aside"), data());
}

void recorded_disk::save(const fs::path& folder) const {
  base_.write(folder / (name_ + ".base"));
  for (std::size_t boot = 0; boot < traces_.size(); ++boot)
    fs::copy_file(trace_file(boot), folder / trace_file(boot).filename(),
                  fs::copy_options::overwrite_existing);
}

void recorded_disk::load(const fs::path& folder) {
  base_ = disk_image::read(folder / (name_ + ".base"));
  traces_.clear();
  for (auto boot = trace_file(0); fs::exists(folder / boot.filename()); boot = trace_file(traces_.size()))
    traces_.push_back(std::make_shared<disk_trace>(folder / boot.filename()));
}

}  // namespace quorate::testing
