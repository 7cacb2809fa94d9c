#include "runtime/segment_directory.hpp"

#include "actors/bytes.hpp"
#include "runtime/crc32c.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace quorate {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view newest_name = "NEWEST";
constexpr std::string_view segment_suffix = ".segment";
constexpr std::string_view unfinished_suffix = ".new";
constexpr std::size_t newest_bytes = 8 + 4;

failure damaged(const std::string& what) {
  return {errc::corrupt, "the journal is damaged: " + what};
}

/// The number in a name that we could have given to a file.
std::optional<std::uint64_t> number_of(std::string_view name) {
  if (!name.ends_with(segment_suffix))
    return std::nullopt;
  name.remove_suffix(segment_suffix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size() || std::to_string(number) != name ||
      number >= std::uint64_t{1} << 63)
    return std::nullopt;
  return number;
}

}  // namespace

segment_directory::~segment_directory() {
  if (preparing_.valid() && sizes_.prepare_beside)
    preparing_.wait();
}

// --- opening
// ----------------------------------------------------------------------------------------------------

status segment_directory::read(database presence) {
  if (presence == database::may_be_new) {
    if (auto failed = disk_.make_directories(path_))
      return failed;
    // Whoever made it may have died before its name was durable.
    if (auto failed = disk_.sync_directory(fs::absolute(path_).lexically_normal().parent_path()))
      return failed;
  }
  std::map<std::uint64_t, fs::path> segments;
  if (auto failed = read_names(segments))
    return failed;
  for (const auto& [name, path] : segments) {
    auto one = segment_file::open(disk_, path);
    if (auto* failed = std::get_if<failure>(&one)) {
      if (failed->code != errc::corrupt)
        return std::move(*failed);
      // Its header may be half written, or half cleared, by a process that died over it: then it is none of
      // those that are needed. If it is, one of them will be found missing.
      unreadable_ = std::move(*failed);
      leftovers_.push_back(path);
      continue;
    }
    auto& found = std::get<file>(one);
    const auto number = found->current().number;
    if (found->used() && !files_.emplace(number, found).second)
      return damaged("two of its files have the same generation, " + std::to_string(number));
    if (found->used())
      continue;
    // A file has its name when it has its size. What is of another one is of another spec, or cut.
    if (found->size() == sizes_.segment_bytes && spares_.size() < sizes_.spares_max)
      spares_.push_back(std::move(found));
    else
      leftovers_.push_back(path);
  }
  if (auto failed = read_newest(presence))
    return unreadable_ ? unreadable_ : failed;
  // What lies before a gap was given up, and has come back because its removal was not durable; the journal
  // sees where it was not.
  auto first = files_.end();
  while (first != files_.begin() && (first == files_.end() || std::prev(first)->first + 1 == first->first))
    --first;
  for (auto it = files_.begin(); it != first; it = files_.erase(it))
    leftovers_.push_back(it->second->path());
  return std::nullopt;
}

status segment_directory::read_names(std::map<std::uint64_t, fs::path>& segments) {
  std::set<std::string> strange;
  std::error_code error;
  for (fs::directory_iterator it{path_, error}, end; !error && it != end; it.increment(error)) {
    const auto name = it->path().filename().string();
    const auto unfinished = name.ends_with(unfinished_suffix);
    const auto whole_name = unfinished ? name.substr(0, name.size() - unfinished_suffix.size()) : name;
    const auto number = number_of(whole_name);
    if (number)
      next_name_ = std::max(next_name_, *number + 1);
    std::error_code ignored;
    if ((!number && whole_name != newest_name) || !fs::is_regular_file(it->symlink_status(ignored)))
      strange.insert(name);
    else if (unfinished)
      leftovers_.push_back(it->path());
    else if (number)
      segments.emplace(*number, it->path());
  }
  if (error == std::errc::no_such_file_or_directory)
    return damaged("it is missing from " + path_.string());
  if (error)
    return failure{errc::io_failed,
                   "the journal's directory " + path_.string() + " cannot be read: " + error.message()};
  if (auto note = durable_files::note_of_strange(path_, strange))
    notes_.push_back(std::move(*note));
  return std::nullopt;
}

status segment_directory::read_newest(database presence) {
  const auto path = path_ / newest_name;
  auto bytes = disk_.read_whole(path, newest_bytes + 1);
  if (auto* failed = std::get_if<failure>(&bytes))
    return std::move(*failed);
  const auto& found = std::get<std::optional<std::string>>(bytes);
  const auto highest = files_.empty() ? 0 : files_.rbegin()->first;
  if (!found && presence == database::must_exist)
    return damaged(path.string() + " is missing");
  // The very first start ended before it was written.
  if (!found && highest <= 1)
    return std::nullopt;
  if (!found)
    return damaged(path.string() + " is missing");
  byte_reader in{*found};
  const auto number = in.little<std::uint64_t>();
  if (found->size() != newest_bytes || in.little<std::uint32_t>() != crc32c(found->substr(0, 8)) ||
      number == 0)
    return damaged(path.string() + " cannot be read");
  if (highest < number)
    return damaged("its newest file is missing from " + path_.string());
  return std::nullopt;
}

status segment_directory::confirm() {
  for (const auto& path : leftovers_)
    if (auto failed = disk_.remove(path))
      return failed;
  leftovers_.clear();
  std::string bytes;
  put_little(bytes, newest()->current().number);
  put_little(bytes, crc32c(bytes));
  if (auto failed = disk_.replace(path_ / newest_name, bytes))
    return failed;
  names_durable_ = true;
  prepare_spare();
  return std::nullopt;
}

// --- going on
// ---------------------------------------------------------------------------------------------------

status segment_directory::begin_next(std::uint64_t first_seq, std::size_t bytes) {
  // A spare that an earlier start has left may not be there after the next loss of power.
  if (!names_durable_)
    if (auto failed = disk_.sync_directory(path_))
      return failed;
  auto salt = disk_.random_number();
  if (auto* failed = std::get_if<failure>(&salt))
    return std::move(*failed);
  auto taken = take_spare(std::max(bytes, sizes_.segment_bytes));
  if (auto* failed = std::get_if<failure>(&taken))
    return std::move(*failed);
  auto next = std::move(std::get<file>(taken));
  const auto number = files_.empty() ? 1 : files_.rbegin()->first + 1;
  if (auto failed = next->begin({number, first_seq, std::get<std::uint64_t>(salt)}))
    return failed;
  files_.emplace(number, std::move(next));
  return confirm();
}

segment_file::opened segment_directory::take_spare(std::size_t bytes) {
  const auto fits =
      std::find_if(spares_.begin(), spares_.end(), [&](const file& f) { return f->size() >= bytes; });
  if (fits != spares_.end()) {
    auto one = std::move(*fits);
    spares_.erase(fits);
    return one;
  }
  if (preparing_.valid()) {
    auto prepared = preparing_.get();
    if (auto* one = std::get_if<file>(&prepared)) {
      if ((*one)->size() >= bytes)
        return prepared;
      spares_.push_back(std::move(*one));
    }
    // A disk that was full may have room by now.
  }
  return segment_file::prepare(disk_, new_path(), bytes);
}

void segment_directory::prepare_spare() {
  if (!spares_.empty() || preparing_.valid())
    return;
  // Beside the writer: zeros for a whole file take many syncs' time.
  preparing_ = std::async(sizes_.prepare_beside ? std::launch::async : std::launch::deferred,
                          [files = disk_, path = new_path(), bytes = sizes_.segment_bytes] {
                            return segment_file::prepare(files, path, bytes);
                          });
}

fs::path segment_directory::new_path() {
  return path_ / (std::to_string(next_name_++) + std::string{segment_suffix});
}

status segment_directory::give_up_oldest() {
  auto oldest = std::move(files_.begin()->second);
  files_.erase(files_.begin());
  // A reader may still hold it; its blocks are freed with the last owner.
  if (oldest.use_count() > 1 || spares_.size() >= sizes_.spares_max || oldest->size() != sizes_.segment_bytes)
    return disk_.remove(oldest->path());
  if (auto failed = oldest->retire())
    return failed;
  spares_.push_back(std::move(oldest));
  return std::nullopt;
}

std::uint64_t segment_directory::used_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [number, f] : files_)
    bytes += f->size();
  return bytes;
}

std::uint64_t segment_directory::bytes() const {
  auto bytes = used_bytes();
  for (const auto& f : spares_)
    bytes += f->size();
  return bytes;
}

}  // namespace quorate
