#include "runtime/data_directory.hpp"

#include "runtime/crc32c.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <vector>

namespace quorate {

namespace {

namespace fs = std::filesystem;

constexpr const char* identity_file = "identity";
constexpr const char* unfinished_file = "identity.new";
constexpr const char* lock_file = "lock";
constexpr std::string_view title = "quorate data directory";

failure io(const fs::path& path, const std::string& what) {
  return {errc::io_failed, path.string() + " " + what + ": " + std::strerror(errno)};
}

/// A file descriptor that closes itself.
class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

private:
  int fd_;
};

status sync_directory(const fs::path& path) {
  const descriptor fd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (fd.get() < 0 || ::fsync(fd.get()) != 0)
    return io(path, "cannot be synced");
  return std::nullopt;
}

status write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const auto done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno != EINTR)
      return io(path, "cannot be written");
    bytes.remove_prefix(done > 0 ? static_cast<std::size_t>(done) : 0);
  }
  return std::nullopt;
}

// Makes `path` and what is missing above it, durably.
status make_directories(const fs::path& path) {
  std::vector<fs::path> missing;
  std::error_code error;
  for (auto p = fs::absolute(path, error).lexically_normal(); !error && !p.empty() && !fs::exists(p, error);
       p = p.parent_path())
    missing.push_back(p);
  for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
    if (it->filename().empty())  // a trailing slash
      continue;
    if (::mkdir(it->c_str(), 0755) != 0 && errno != EEXIST)
      return io(*it, "cannot be made");
    if (auto failed = sync_directory(it->parent_path()))
      return failed;
  }
  if (!fs::is_directory(path, error))
    return failure{errc::bad_config, path.string() + " is not a directory"};
  return std::nullopt;
}

// What is there beside the files that a start leaves behind when it dies before it has an identity.
std::variant<std::set<std::string>, failure> names_in(const fs::path& path) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it{path, error}, end; !error && it != end; it.increment(error))
    names.insert(it->path().filename().string());
  if (error)
    return failure{errc::io_failed, path.string() + " cannot be read: " + error.message()};
  for (const auto* name : {lock_file, unfinished_file, "lost+found"})
    names.erase(name);
  return names;
}

status refuse_without_identity(const fs::path& path) {
  auto names = names_in(path);
  if (auto* failed = std::get_if<failure>(&names))
    return std::move(*failed);
  const auto& found = std::get<std::set<std::string>>(names);
  if (found.empty() || found.contains(identity_file))
    return std::nullopt;
  if (found.contains("journal") || found.contains("state"))
    return failure{errc::corrupt,
                   (path / identity_file).string() + " is missing, but the directory holds data"};
  return failure{errc::bad_config,
                 path.string() + " is not empty and not a data directory: it holds " + *found.begin()};
}

template <class UInt>
bool read_number(std::string_view text, int radix, UInt& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, radix);
  return error == std::errc{} && end == text.data() + text.size();
}

template <class UInt>
std::string hex(UInt value) {
  std::array<char, 2 * sizeof(UInt)> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  const std::string text{digits.data(), end};
  return std::string(digits.size() - text.size(), '0') + text;
}

// Takes the next line, which must begin with `name` and a space; returns the rest of it.
std::optional<std::string> field(std::string_view& text, std::string_view name) {
  const auto line = text.substr(0, text.find('\n'));
  if (line.size() == text.size() || !line.starts_with(name) || line.size() <= name.size() ||
      line[name.size()] != ' ')
    return std::nullopt;
  text.remove_prefix(line.size() + 1);
  return std::string{line.substr(name.size() + 1)};
}

bool is_plain(const std::string& name) {
  return !name.empty() &&
         std::none_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

data_directory::opened data_directory::open(const fs::path& path, const std::string& cluster,
                                            const std::string& node) {
  if (!is_plain(cluster) || !is_plain(node))
    return failure{errc::bad_config,
                   "a cluster's and a node's name must not be empty nor hold control characters"};
  std::unique_ptr<data_directory> result{new data_directory};
  result->path_ = path;
  if (auto failed = make_directories(path))
    return std::move(*failed);
  // Before the lock file is made, so that nothing is left in somebody else's directory.
  if (auto failed = refuse_without_identity(path))
    return std::move(*failed);
  if (auto failed = result->lock())
    return std::move(*failed);
  if (auto failed = result->load(cluster, node))
    return std::move(*failed);
  result->identity_.boot = result->identity_.boot.next();
  if (auto failed = result->save())
    return std::move(*failed);
  return result;
}

data_directory::~data_directory() {
  if (lock_ >= 0)
    ::close(lock_);
}

status data_directory::lock() {
  const auto file = path_ / lock_file;
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0)
    return io(file, "cannot be opened");
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) {
    // For whoever is refused; nothing depends on it.
    const auto pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock_, 0) == 0)
      static_cast<void>(write_all(lock_, pid, file));
    return std::nullopt;
  }
  if (errno != EWOULDBLOCK)
    return io(file, "cannot be locked");
  std::array<char, 16> pid{};
  const auto bytes = ::pread(lock_, pid.data(), pid.size(), 0);
  std::string holder{pid.data(), static_cast<std::size_t>(std::max<ssize_t>(bytes, 0))};
  holder.erase(std::find(holder.begin(), holder.end(), '\n'), holder.end());
  return failure{errc::in_use, "the data directory " + path_.string() + " is in use by " +
                                   (holder.empty() ? "another process" : "process " + holder)};
}

status data_directory::load(const std::string& cluster, const std::string& node) {
  const auto file = path_ / identity_file;
  std::error_code error;
  if (!fs::exists(file, error) && !error) {
    if (auto failed = refuse_without_identity(path_))
      return failed;
    identity_ = {cluster, node, {}, {}, false};
    while (identity_.disk.value == 0)
      if (::getrandom(&identity_.disk.value, sizeof(identity_.disk.value), 0) !=
          static_cast<ssize_t>(sizeof(identity_.disk.value)))
        return io(path_, "got no random number from the system");
    return std::nullopt;
  }
  std::ifstream in{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (!in.is_open() || in.bad())
    return io(file, "cannot be read");
  auto parsed = parse(text, file.string());
  if (auto* failed = std::get_if<failure>(&parsed))
    return std::move(*failed);
  identity_ = std::get<identity>(std::move(parsed));
  if (identity_.cluster != cluster || identity_.node != node)
    return failure{errc::bad_config, "the data directory " + path_.string() + " belongs to node " +
                                         identity_.node + " of cluster " + identity_.cluster +
                                         ", not to node " + node + " of cluster " + cluster};
  return std::nullopt;
}

std::string data_directory::print(const identity& id) {
  auto text = std::string{title} + "\nformat " + std::to_string(format) + "\ncluster " + id.cluster +
              "\nnode " + id.node + "\ndisk " + hex(id.disk.value) + "\nboot " +
              std::to_string(id.boot.value) + "\nsettled " + (id.settled ? "1" : "0") + "\n";
  return text + "checksum " + hex(crc32c(text)) + "\n";
}

data_directory::loaded data_directory::parse(const std::string& text, const std::string& file) {
  const failure damaged{errc::corrupt, file + " is damaged"};
  const auto check_at = text.rfind("checksum ");
  if (check_at == std::string::npos ||
      text.substr(check_at) != "checksum " + hex(crc32c(text.substr(0, check_at))) + "\n")
    return damaged;
  std::string_view rest{text};
  if (!rest.starts_with(title) || rest.size() == title.size() || rest[title.size()] != '\n')
    return damaged;
  rest.remove_prefix(title.size() + 1);
  std::uint32_t version = 0;
  if (!read_number(field(rest, "format").value_or(""), 10, version))
    return damaged;
  if (version != format)
    return failure{errc::bad_config, file + " is of format " + std::to_string(version) +
                                         "; this program knows " + std::to_string(format)};
  identity id;
  id.cluster = field(rest, "cluster").value_or("");
  id.node = field(rest, "node").value_or("");
  const auto numbers = read_number(field(rest, "disk").value_or(""), 16, id.disk.value) &&
                       read_number(field(rest, "boot").value_or(""), 10, id.boot.value);
  const auto settled = field(rest, "settled").value_or("");
  id.settled = settled == "1";
  if (!numbers || id.disk.value == 0 || !is_plain(id.cluster) || !is_plain(id.node) ||
      (settled != "0" && settled != "1"))
    return damaged;
  return id;
}

status data_directory::save() const {
  const auto file = path_ / unfinished_file;
  {
    const descriptor fd{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (fd.get() < 0)
      return io(file, "cannot be opened");
    if (auto failed = write_all(fd.get(), print(identity_), file))
      return failed;
    if (::fsync(fd.get()) != 0)
      return io(file, "cannot be synced");
  }
  if (::rename(file.c_str(), (path_ / identity_file).c_str()) != 0)
    return io(file, "cannot be renamed");
  return sync_directory(path_);
}

status data_directory::settle() {
  if (identity_.settled)
    return std::nullopt;
  // The databases' own directories first.
  if (auto failed = sync_directory(path_))
    return failed;
  identity_.settled = true;
  return save();
}

}  // namespace quorate
