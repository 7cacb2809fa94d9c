#include "runtime/cluster_spec.hpp"

#include "runtime/spec_reader.hpp"
#include "runtime/spec_scan.hpp"
#include "runtime/spec_text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace quorate {

namespace {

/// A file descriptor that is closed with its scope.
class open_file {
public:
  explicit open_file(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  ~open_file() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

private:
  int fd_;
};

std::string error_text(int number) {
  // The thread-safe ways to ask differ between systems; these are what a person runs into.
  switch (number) {
  case ENOENT:
    return "no such file";
  case EACCES:
  case EPERM:
    return "no permission to read it";
  case EISDIR:
    return "is a directory, not a file";
  case ENOTDIR:
    return "a part of the path is not a directory";
  default:
    return "cannot be read (errno " + std::to_string(number) + ")";
  }
}

/// The file's bytes, or what is wrong with it.
std::variant<std::string, text_fault> bytes_of(const std::string& path) {
  const auto wrong = [](std::string what) { return text_fault{{}, std::move(what)}; };
  if (path.find('\0') != std::string::npos)
    return wrong("no such file");
  const open_file file{path};
  if (file.fd() < 0)
    return wrong(error_text(errno));
  struct stat about = {};
  if (::fstat(file.fd(), &about) != 0)
    return wrong(error_text(errno));
  if (S_ISDIR(about.st_mode))
    return wrong(error_text(EISDIR));
  if (!S_ISREG(about.st_mode))
    return wrong("is not a regular file");
  std::string bytes(spec_bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const auto got = ::read(file.fd(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return wrong(error_text(errno));
    if (got == 0)
      break;
    size += static_cast<std::size_t>(got);
  }
  if (size > spec_bytes_max)
    return wrong("is larger than " + std::to_string(spec_bytes_max) + " bytes");
  bytes.resize(size);
  return bytes;
}

}  // namespace

const node_spec* cluster_spec::find(std::string_view wanted) const {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [&](const auto& n) { return n.name == wanted; });
  return found == nodes.end() ? nullptr : &*found;
}

void number_by_name(std::vector<node_spec>& nodes) {
  for (auto& node : nodes)
    node.id =
        node_id{1 + static_cast<std::uint32_t>(std::count_if(
                        nodes.begin(), nodes.end(), [&](const auto& n) { return n.name < node.name; }))};
}

spec_result parse_spec(std::string_view text, const known_names& known, std::string_view source) {
  if (text.size() > spec_bytes_max)
    return spec_failure(source, {}, "is larger than " + std::to_string(spec_bytes_max) + " bytes");
  const auto parsed = read_spec_text(text, source);
  if (const auto* problem = std::get_if<failure>(&parsed))
    return *problem;
  return spec_reader{std::get<spec_text>(parsed), known, source}.run();
}

spec_result load_spec(const std::string& path, const known_names& known) {
  const auto bytes = bytes_of(path);
  if (const auto* fault = std::get_if<text_fault>(&bytes))
    return spec_failure(path.empty() ? "\"\"" : path, {}, fault->what);
  return parse_spec(std::get<std::string>(bytes), known, path);
}

}  // namespace quorate
