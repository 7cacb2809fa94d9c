// Reads our own source text and fails where it breaks a rule of the house that no compiler knows.

#include "tests/source_dir.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

using strings = std::vector<std::string>;
using words = std::set<std::string, std::less<>>;

/// The arrows of the design: who may include whom.
const std::map<std::string, words, std::less<>> arrows = {
    {"actors", {"actors"}},
    {"protocols", {"actors", "protocols"}},
    {"balancers", {"actors", "balancers"}},
    {"sync", {"actors", "sync"}},
    {"runtime", {"actors", "protocols", "balancers", "sync", "runtime"}},
    {"samples", {"actors", "protocols", "balancers", "sync", "runtime", "samples", "tests/harness"}},
};

/// File stems that are roles: no CAF, log, randomness, thread or file in their includes.
const words protocol_roles = {"proposer", "acceptor", "learner"};
const words other_roles = {"replica", "edge", "founding", "membership", "pull", "pull_serving", "balancer"};

const words role_headers_refused = {"random", "thread", "fstream", "mutex"};

/// Words that say nothing about what a file is for.
const words empty_words = {"manager", "helper", "util", "impl", "base", "common"};

constexpr size_t lines_wanted_max = 400;

/// A file that is to be checked; `path` counts from the repository's root.
struct source {
  std::string path;
  std::string text;
};

std::string folder_of(std::string_view path) {
  return std::string{path.substr(0, path.find('/'))};
}

std::string stem_of(const std::string& path) {
  const auto name = fs::path{path}.filename().string();
  return name.substr(0, name.find('.'));
}

bool starts_raw_string(const std::string& text, size_t quote) {
  if (quote == 0 || text[quote - 1] != 'R')
    return false;
  return quote == 1 ||
         (std::isalnum(static_cast<unsigned char>(text[quote - 2])) == 0 && text[quote - 2] != '_') ||
         text[quote - 2] == 'u' || text[quote - 2] == 'U' || text[quote - 2] == 'L' || text[quote - 2] == '8';
}

bool separates_digits(const std::string& text, size_t quote) {
  auto begin = quote;
  while (begin > 0 &&
         (std::isalnum(static_cast<unsigned char>(text[begin - 1])) != 0 || text[begin - 1] == '\''))
    --begin;
  return begin < quote && std::isdigit(static_cast<unsigned char>(text[begin])) != 0;
}

/// Returns `text` with comments blanked, and literals too unless they are kept; line breaks stay.
std::string code_of(const std::string& text, bool keep_literals) {
  auto result = text;
  const auto blank = [&](size_t from, size_t to) {
    for (auto i = from; i < std::min(to, result.size()); ++i)
      if (result[i] != '\n')
        result[i] = ' ';
  };
  const auto after = [&](std::string_view what, size_t from) {
    const auto found = text.find(what, from);
    return found == std::string::npos ? text.size() : found + what.size();
  };
  size_t i = 0;
  while (i < text.size()) {
    const auto begin = i;
    if (text.compare(i, 2, "//") == 0) {
      i = std::min(text.find('\n', i), text.size());
      blank(begin, i);
    } else if (text.compare(i, 2, "/*") == 0) {
      i = after("*/", i + 2);
      blank(begin, i);
    } else if (text[i] == '"' && starts_raw_string(text, i)) {
      const auto open = std::min(text.find('(', i), text.size() - 1);
      i = after(")" + text.substr(i + 1, open - i - 1) + "\"", open);
      blank(begin, i);
    } else if (text[i] == '"' || (text[i] == '\'' && !separates_digits(text, i))) {
      for (++i; i < text.size() && text[i] != text[begin] && text[i] != '\n'; ++i)
        if (text[i] == '\\')
          ++i;
      ++i;
      if (!keep_literals)
        blank(begin, i);
    } else {
      ++i;
    }
  }
  return result;
}

strings lines_of(const std::string& text) {
  strings lines;
  size_t begin = 0;
  while (begin < text.size()) {
    const auto end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

bool is_role(const std::string& path) {
  const auto folder = folder_of(path);
  const auto stem = stem_of(path);
  if (folder == "protocols")
    return std::count(path.begin(), path.end(), '/') >= 2 && protocol_roles.contains(stem);
  return (folder == "runtime" || folder == "sync" || folder == "balancers") && other_roles.contains(stem);
}

/// What is wrong with `path` including (or importing) `target`; empty if nothing is.
std::string fault_of_include(const std::string& path, const std::string& target, bool quoted) {
  const auto from = folder_of(path);
  const auto to = folder_of(target);
  if (arrows.contains(to) || to == "tests") {
    const auto& allowed = arrows.at(from);
    const auto harness = target.starts_with("tests/harness/") && allowed.contains("tests/harness");
    if (!allowed.contains(to) && !harness)
      return from + " must not include " + to;
    return {};
  }
  // A folder of samples is a project of its own, which users copy.
  const auto own =
      path.starts_with("samples/") && std::count(path.begin(), path.end(), '/') == 2 && to == target;
  if (quoted && !own)
    return "an include of ours is not written from the repository's root";
  if ((target.starts_with("caf/io/") || target.starts_with("caf/openssl/")) &&
      !path.starts_with("runtime/transport"))
    return "CAF's network layer belongs to runtime/transport";
  if (is_role(path) && (to == "caf" || to == "spdlog" || role_headers_refused.contains(target)))
    return "a role must not know <" + target + ">";
  return {};
}

/// The word of `path` that says nothing, or an empty string.
std::string empty_word_of(const std::string& path) {
  // Whole words only: "simple" and "database" are fine.
  static const std::regex word{"[A-Za-z]+"};
  for (auto it = std::sregex_iterator(path.begin(), path.end(), word); it != std::sregex_iterator(); ++it) {
    auto found = it->str();
    std::transform(found.begin(), found.end(), found.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (found.size() > 1 && found.ends_with('s'))
      found.pop_back();
    if (empty_words.contains(found))
      return found;
  }
  return {};
}

/// Returns one line per broken rule, "path:line: what".
strings faults_of(const source& file) {
  static const std::regex include{R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)re"};
  static const std::regex import{R"re(^\s*import\s+(?:public\s+|weak\s+)?"([^"]+)".*)re"};
  static const std::regex majority{R"re(/\s*2[uUlL]*\s*\)*\s*\+\s*1\b)re"};
  static const std::regex clock_read{R"re(clock\s*::\s*now\b)re"};

  strings faults;
  if (const auto word = empty_word_of(file.path); !word.empty())
    faults.push_back(file.path + ": '" + word + "' in a file's name says nothing");
  // tests/ may include everything.
  if (!arrows.contains(folder_of(file.path)))
    return faults;

  const auto with_literals = lines_of(code_of(file.text, true));
  const auto bare = lines_of(code_of(file.text, false));
  const auto is_proto = file.path.ends_with(".proto");
  for (size_t i = 0; i < with_literals.size(); ++i) {
    const auto fault = [&](const std::string& what) {
      faults.push_back(file.path + ":" + std::to_string(i + 1) + ": " + what);
    };
    std::smatch match;
    auto what = std::string{};
    if (is_proto && std::regex_match(with_literals[i], match, import))
      what = fault_of_include(file.path, match[1], !match[1].str().starts_with("google/protobuf/"));
    else if (!is_proto && std::regex_match(with_literals[i], match, include))
      what = fault_of_include(file.path, match[2], match[1] == "\"");
    if (!what.empty())
      fault(what);
    if (!file.path.starts_with("protocols/quorum.") && std::regex_search(bare[i], majority))
      fault("only protocols/quorum knows how many members are enough");
    if (is_role(file.path) && std::regex_search(bare[i], clock_read))
      fault("a role must not read a clock");
  }
  return faults;
}

/// All source files of ours below `root`, by path.
std::vector<source> sources_below(const fs::path& root) {
  std::vector<source> files;
  for (const auto* folder : {"actors", "protocols", "balancers", "sync", "runtime", "samples", "tests"}) {
    if (!fs::is_directory(root / folder))
      continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      // Editors leave hidden files behind.
      if (entry.path().filename().string().starts_with('.'))
        continue;
      const auto extension = entry.path().extension();
      if (!entry.is_regular_file() || (extension != ".hpp" && extension != ".cpp" && extension != ".proto"))
        continue;
      std::ifstream in{entry.path(), std::ios::binary};
      files.push_back({fs::relative(entry.path(), root).generic_string(),
                       std::string{std::istreambuf_iterator<char>{in}, {}}});
    }
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

/// A directory of its own that goes away with the object.
class scratch_tree {
public:
  scratch_tree() : root_{fs::temp_directory_path() / "quorate-tidy-XXXXXX"} {
    auto name = root_.string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    root_ = name;
  }
  scratch_tree(const scratch_tree&) = delete;
  scratch_tree& operator=(const scratch_tree&) = delete;
  ~scratch_tree() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }
  void add(const std::string& path, std::string_view text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream{root_ / path} << text;
  }
  [[nodiscard]] const fs::path& root() const { return root_; }

private:
  fs::path root_;
};

}  // namespace

TEST_CASE("every source file keeps the rules of the house") {
  const auto files = sources_below(quorate::testing::source_dir());
  // This file at least; an empty list would pass whatever is in the tree.
  REQUIRE(std::any_of(files.begin(), files.end(),
                      [](const source& file) { return file.path == "tests/tidy/tidy_test.cpp"; }));
  for (const auto& file : files) {
    for (const auto& fault : faults_of(file))
      FAIL_CHECK(fault);
    if (const auto count = lines_of(file.text).size(); count > lines_wanted_max)
      MESSAGE(file.path << " has " << count << " lines; " << lines_wanted_max << " are wanted at most");
  }
}

TEST_CASE("an arrow that is not drawn is found") {
  const words folders = {"actors", "protocols", "balancers", "sync", "runtime", "samples", "tests"};
  // Independent of the table above on purpose: a slip there must not pass unseen.
  const words drawn = {
      "actors actors",     "protocols protocols", "protocols actors", "balancers balancers",
      "balancers actors",  "sync sync",           "sync actors",      "runtime runtime",
      "runtime protocols", "runtime balancers",   "runtime sync",     "runtime actors",
      "samples samples",   "samples runtime",     "samples sync",     "samples protocols",
      "samples balancers", "samples actors",
  };
  for (const auto& from : folders) {
    if (from == "tests")
      continue;
    for (const auto& to : folders) {
      CAPTURE(from);
      CAPTURE(to);
      const auto allowed = drawn.contains(from + " " + to);
      CHECK(faults_of({from + "/x.cpp", "#include \"" + to + "/y.hpp\"\n"}).empty() == allowed);
      CHECK(faults_of({from + "/x.cpp", "  #  include <" + to + "/y.hpp>\n"}).empty() == allowed);
      CHECK(faults_of({from + "/x.proto", "import public \"" + to + "/y.proto\";\n"}).empty() == allowed);
    }
  }
}

TEST_CASE("only samples may include the harness") {
  CHECK(faults_of({"samples/x.cpp", "#include \"tests/harness/simulator.hpp\"\n"}).empty());
  CHECK(faults_of({"runtime/x.cpp", "#include \"tests/harness/simulator.hpp\"\n"}).size() == 1);
}

TEST_CASE("an include that is not written from the root is found") {
  CHECK(faults_of({"protocols/paxos/x.cpp", "#include \"acceptor.hpp\"\n"}).size() == 1);
  CHECK(faults_of({"protocols/paxos/x.cpp", "#include \"../../runtime/node.hpp\"\n"}).size() == 1);
  CHECK(faults_of({"actors/x.proto", "import \"google/protobuf/duration.proto\";\n"}).empty());
}

TEST_CASE("CAF's network layer outside the transport is found") {
  for (const auto* header : {"caf/io/all.hpp", "caf/openssl/all.hpp"}) {
    const auto text = "#include <" + std::string{header} + ">\n";
    CHECK(faults_of({"runtime/node.cpp", text}).size() == 1);
    CHECK(faults_of({"actors/role.hpp", text}).size() == 1);
    CHECK(faults_of({"samples/x.cpp", text}).size() == 1);
    CHECK(faults_of({"runtime/transport.cpp", text}).empty());
    CHECK(faults_of({"runtime/transport/dial.cpp", text}).empty());
  }
}

TEST_CASE("a role that knows more than messages is found") {
  const std::array roles = {"protocols/paxos/proposer.cpp",  "protocols/paxos/acceptor.hpp",
                            "protocols/mencius/learner.cpp", "runtime/replica.hpp",
                            "runtime/http/edge.cpp",         "runtime/founding.cpp",
                            "runtime/membership.hpp",        "sync/pull.cpp",
                            "balancers/balancer.hpp"};
  const std::array refused = {"caf/actor.hpp", "spdlog/spdlog.h", "random", "thread", "fstream", "mutex"};
  for (const auto* role : roles) {
    CAPTURE(role);
    for (const auto* header : refused) {
      CAPTURE(header);
      CHECK(faults_of({role, "#include <" + std::string{header} + ">\n"}).size() == 1);
      CHECK(faults_of({"runtime/node.cpp", "#include <" + std::string{header} + ">\n"}).empty());
    }
    CHECK(faults_of({role, "#include <chrono>\n#include \"actors/outbox.hpp\"\n"}).empty());
    CHECK(faults_of({role, "auto t = std::chrono::steady_clock::now();\n"}).size() == 1);
  }
}

TEST_CASE("quorum arithmetic outside the quorum is found") {
  for (const auto* text : {"n / 2 + 1", "n/2+1", "n / 2u + 1", "(n / 2) + 1"}) {
    CAPTURE(text);
    CHECK(faults_of({"protocols/paxos/ballots.cpp", text}).size() == 1);
    CHECK(faults_of({"runtime/node.cpp", text}).size() == 1);
    CHECK(faults_of({"protocols/quorum.hpp", text}).empty());
    CHECK(faults_of({"protocols/quorum.cpp", text}).empty());
  }
  CHECK(faults_of({"actors/x.cpp", "n / 2 + 10; n / 20 + 1"}).empty());
}

TEST_CASE("a file name that says nothing is found") {
  for (const auto* path :
       {"actors/manager.hpp", "runtime/node_manager.cpp", "sync/helpers.hpp", "runtime/util/text.cpp",
        "protocols/raft_impl.cpp", "actors/base.hpp", "tests/harness/common.hpp", "actors/common.proto"}) {
    CAPTURE(path);
    CHECK(faults_of({path, ""}).size() == 1);
  }
  CHECK(faults_of({"samples/simple.cpp", ""}).empty());
  CHECK(faults_of({"runtime/database.cpp", ""}).empty());
}

TEST_CASE("comments and literals break no rule, and hide none behind them") {
  CHECK(faults_of({"actors/x.cpp", "// #include \"runtime/node.hpp\"\n/* n / 2 + 1 */\n"}).empty());
  CHECK(faults_of({"actors/x.cpp", "auto a = \"n / 2 + 1\"; auto b = R\"x(n / 2 + 1)\" )x\";\n"}).empty());
  CHECK(faults_of({"actors/x.cpp", "auto a = \"// \\\"\"; auto q = n / 2 + 1;\n"}).size() == 1);
  CHECK(faults_of({"actors/x.cpp", "auto a = 1'000; auto q = n / 2 + 1; auto b = '\"';\n"}).size() == 1);
  CHECK(faults_of({"actors/x.cpp", "auto b = R\"(\")\";\nauto q = n / 2 + 1;\n"}) ==
        strings{"actors/x.cpp:2: only protocols/quorum knows how many members are enough"});
}

TEST_CASE("planted files are found on disk, whatever their depth and kind") {
  const scratch_tree tree;
  tree.add("actors/deep/below/x.hpp", "#include \"runtime/node.hpp\"\n");
  tree.add("sync/y.cpp", "#include \"protocols/registry.hpp\"\n");
  tree.add("protocols/paxos/paxos.proto", "import \"sync/z.proto\";\n");
  tree.add("sync/.y.cpp", "#include \"runtime/node.hpp\"\n");
  tree.add("balancers/notes.txt", "#include \"runtime/node.hpp\"\n");
  strings found;
  for (const auto& file : sources_below(tree.root()))
    for (const auto& fault : faults_of(file))
      found.push_back(fault);
  CHECK(found == strings{"actors/deep/below/x.hpp:1: actors must not include runtime",
                         "protocols/paxos/paxos.proto:1: protocols must not include sync",
                         "sync/y.cpp:1: sync must not include protocols"});
}
