#include "runtime/data_directory.hpp"

#include "runtime/crc32c.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

namespace quorate {

namespace {

namespace fs = std::filesystem;

constexpr const char* identity_file = "identity";
constexpr std::size_t identity_bytes_max = 64u << 10;
constexpr std::string_view title = "quorate data directory";

// File systems put these into directories by themselves.
bool is_of_file_system(const std::string& name) {
  return name == "lost+found" || name.starts_with(".nfs");
}

// What is there beside a file that a start leaves behind when it dies before it has an identity.
std::variant<std::set<std::string>, failure> names_in(const fs::path& path) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it{path, error}, end; !error && it != end; it.increment(error))
    names.insert(it->path().filename().string());
  if (error)
    return failure{errc::io_failed, path.string() + " cannot be read: " + error.message()};
  names.erase(durable_files::unfinished(identity_file).string());
  return names;
}

status refuse_without_identity(const fs::path& path, const std::set<std::string>& names) {
  if (names.contains(identity_file))
    return std::nullopt;
  if (names.contains("journal") || names.contains("state"))
    return failure{errc::corrupt,
                   (path / identity_file).string() + " is missing, but the directory holds data"};
  for (const auto& name : names)
    if (!is_of_file_system(name))
      return failure{errc::bad_config,
                     path.string() + " is not empty and not a data directory: it holds " + name};
  return std::nullopt;
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
                                            const std::string& node, system_calls& calls) {
  if (!is_plain(cluster) || !is_plain(node))
    return failure{errc::bad_config,
                   "a cluster's and a node's name must not be empty nor hold control characters"};
  std::unique_ptr<data_directory> result{new data_directory{path, calls}};
  if (auto failed = result->files_.make_directories(path))
    return std::move(*failed);
  if (auto failed = result->lock("the data directory", path))
    return std::move(*failed);
  auto names = names_in(path);
  if (auto* failed = std::get_if<failure>(&names))
    return std::move(*failed);
  const auto& found = std::get<std::set<std::string>>(names);
  if (auto failed = refuse_without_identity(path, found))
    return std::move(*failed);
  auto strange = found;
  for (const auto* own : {identity_file, "journal", "state"})
    strange.erase(own);
  if (auto note = durable_files::note_of_strange(path, strange))
    result->notes_.push_back(std::move(*note));
  if (auto failed = result->load(cluster, node))
    return std::move(*failed);
  if (found.contains("journal"))
    if (auto failed = result->lock("the journal's directory", result->journal_path()))
      return std::move(*failed);
  if (found.contains("state")) {
    if (auto failed = result->lock("the state's directory", result->state_path()))
      return std::move(*failed);
    if (auto failed = check_rocks_lock("the state's directory", result->state_path()))
      return std::move(*failed);
  }
  result->identity_.boot = result->identity_.boot.next();
  return result;
}

status data_directory::lock(const std::string& what, const fs::path& path) {
  if (locks_.contains(path))
    return std::nullopt;
  auto taken = directory_lock::take(what, path);
  if (auto* failed = std::get_if<failure>(&taken))
    return std::move(*failed);
  locks_.emplace(path, std::get<directory_lock>(std::move(taken)));
  return std::nullopt;
}

status data_directory::begin() {
  // Whoever made the directory may have died before its name was durable.
  if (fresh())
    if (auto failed = files_.sync_way_to(path_))
      return failed;
  // Before there is any data: data without an identity is refused.
  if (auto failed = save())
    return failed;
  for (const auto& [what, path] : {std::pair{"the journal's directory", journal_path()},
                                   std::pair{"the state's directory", state_path()}}) {
    if (fresh())
      if (auto failed = files_.make_directories(path))
        return failed;
    std::error_code missing;
    if (fs::exists(path, missing))
      if (auto failed = lock(what, path))
        return failed;
  }
  return std::nullopt;
}

status data_directory::load(const std::string& cluster, const std::string& node) {
  const auto file = path_ / identity_file;
  auto text = files_.read_whole(file, identity_bytes_max);
  if (auto* failed = std::get_if<failure>(&text))
    return std::move(*failed);
  const auto& found = std::get<std::optional<std::string>>(text);
  if (!found) {
    identity_ = {cluster, node, {}, {}, false};
    while (identity_.disk.value == 0) {
      auto drawn = files_.random_number();
      if (auto* failed = std::get_if<failure>(&drawn))
        return std::move(*failed);
      identity_.disk.value = std::get<std::uint64_t>(drawn);
    }
    return std::nullopt;
  }
  auto parsed = parse(*found, file.string());
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
    return failure{errc::bad_config, file + " is of format " + std::to_string(version) + ", made by " +
                                         (version < format ? "an older" : "a newer") +
                                         " version; this one knows format " + std::to_string(format) +
                                         " only: use another data directory"};
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
  return files_.replace(path_ / identity_file, print(identity_));
}

status data_directory::settle() {
  if (identity_.settled)
    return std::nullopt;
  // The databases' own directories first.
  if (auto failed = files_.sync_directory(path_))
    return failed;
  identity_.settled = true;
  return save();
}

}  // namespace quorate
