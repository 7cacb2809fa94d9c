#include "tests/runtime/spec_fixture.hpp"

#include "actors/prng.hpp"
#include "runtime/spec_text.hpp"
#include "tests/source_dir.hpp"

#include <fstream>
#include <iterator>
#include <set>
#include <vector>

using namespace quorate;
using namespace quorate::spec_fixture;

namespace {

// clang-format off
const std::vector<mistake> mistakes = {
    {R"("demo")", "demo",
     R"(2:10: "demo" is not a value (a text needs quotes))"},
    {R"("demo")", "",
     "2:10: cluster.name: has no value on this line"},
    {R"("demo")", R"("demo)",
     "2:10: the text that begins here has no closing quote on its line"},
    {R"("demo")", R"("de\qmo")",
     "2:14: unknown escape sequence in a text"},
    {R"("demo")", R"("demo" "x")",
     "2:17: a comma or a line break is missing before this"},
    {R"(name = "demo")", "name",
     R"(2:3: stray "name": a key needs a value on the same line)"},
    {R"(name = "demo")", "name =\n \"demo\"",
     "2:9: cluster.name: has no value on this line"},
    {R"(name = "demo")", R"(name "demo")",
     R"(2:8: "=" is missing after "name")"},
    {R"(name = "demo")", R"(= "demo")",
     R"(2:3: unexpected "=")"},
    {R"(name = "demo")", R"(na.me = "demo")",
     R"(2:3: "na.me" cannot be a key: letters, digits, - and _ (and braces instead of dots))"},
    {"cluster {", "cluster.x {",
     R"(1:1: "cluster.x" cannot be a key: letters, digits, - and _ (and braces instead of dots))"},
    {"cluster {", "cluster\n{",
     R"(1:1: stray "cluster": a key needs a value on the same line)"},
    {"7101", "07101",
     R"(5:47: "07101": a number must not begin with 0)"},
    {"7101", "0x1bbd",
     R"(5:47: "0x1bbd" is neither a number nor a duration (ns, us, ms, s, min, h))"},
    {"7101", "7101..7105",
     R"(5:47: "7101..7105" is not a number)"},
    {"7101", "12345678901234567890",
     R"(5:47: "12345678901234567890" is too large a number)"},
    {"7101", "1.5s",
     R"(5:47: "1.5s": a duration is a whole number of ns, us, ms, s, min or h)"},
    {"protocol", "timeouts { request = 5 s }\n protocol",
     "3:26: a comma or a line break is missing before this"},
    {"protocol", "timeouts { request = 5sec }\n protocol",
     R"(3:24: "5sec" is neither a number nor a duration (ns, us, ms, s, min, h))"},
    {"protocol", "timeouts { request = 9999999999h }\n protocol",
     R"(3:24: "9999999999h" is too long a duration)"},
    {"  ]\n", "",
     R"(7:1: unexpected "}": what line 4 opens is not closed yet)"},
    {"  ]\n", "  }\n",
     R"(7:3: unexpected "}": what line 4 opens is not closed yet)"},
    {"}\n", "}\n}\n",
     R"(9:1: unexpected "}": nothing is open)"},
    {"}\n", "}\nmore\n",
     R"(9:1: stray "more": a key needs a value on the same line)"},
    {"}\n", "} more\n",
     "8:3: a comma or a line break is missing before this"},
    {"}\n", "}\nmore = tru",
     R"(9:8: "tru" is not a value (a text needs quotes))"},
    {"}\n", "",
     "1:9: cluster is opened here and never closed"},
    {"[", "[,",
     R"(4:12: unexpected ",")"},
    {"},\n    {", "}\n    {",
     R"(6:5: unexpected "{")"},
    {R"("paxos")", "<http://x>",
     R"(3:14: unexpected "<")"},
    {R"("demo")", R"("demo"; )",
     "2:16: a comma or a line break is missing before this"},
};
// clang-format on

std::string sample() {
  std::ifstream in{quorate::testing::source_dir() + "/samples/cluster.conf", std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  REQUIRE(!text.empty());
  return text;
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string out;
  while (count-- > 0)
    out += text;
  return out;
}

std::string told(const std::string& text) {
  return message_of(parse_spec(text, known()));
}

/// What every accepted spec keeps, however odd its text.
void check_valid(const cluster_spec& spec) {
  CHECK_FALSE(spec.name.empty());
  CHECK((spec.protocol == "paxos" || spec.protocol == "mencius"));
  CHECK((!spec.nodes.empty() && spec.nodes.size() <= 9));
  std::set<std::string> names;
  std::set<std::string> places;
  std::set<node_id> ids;
  for (const auto& node : spec.nodes) {
    CHECK((node.id.value >= 1 && node.id.value <= spec.nodes.size()));
    CHECK(ids.insert(node.id).second);
    CHECK(names.insert(node.name).second);
    CHECK(places.insert(node.host + " " + std::to_string(node.port)).second);
    CHECK(places.insert(node.http_host + " " + std::to_string(node.http_port)).second);
  }
}

}  // namespace

TEST_CASE("each mistake of syntax has its one line with line and column") {
  check_mistakes(mistakes);
}

TEST_CASE("bytes that are no text are refused where they stand") {
  CHECK(told(with("\"demo\"", std::string{"\"de\0mo\"", 7})) ==
        "spec:2:13: byte 0 does not belong into a text");
  CHECK(told(with("\"demo\"", "\"de\x1bmo\"")) == "spec:2:13: byte 27 does not belong into a text");
  CHECK(told("\r") == "spec:1:1: byte 13 does not belong into a text");
  CHECK(told("\x7f") == "spec:1:1: byte 127 does not belong into a text");
  CHECK(told("\xff") == "spec:1:1: stray \"\xff\": a key needs a value on the same line");
}

TEST_CASE("line breaks of other systems, tabs and a byte order mark change nothing") {
  std::string text = "\xef\xbb\xbf";
  for (const auto c : valid_text)
    text += c == '\n' ? "\r\n" : c == ' ' ? "\t" : std::string{c};
  CHECK(told(text) == "valid");
}

TEST_CASE("all ways to write a dictionary mean the same") {
  CHECK(told("{ " + valid_text + " }") == "valid");
  CHECK(told(with("cluster {", "cluster = {")) == "valid");
  CHECK(told(with("cluster {", "\"cluster\" : {")) == "valid");
  CHECK(told(with("name = \"demo\"", "'name':'demo', # {[\"")) == "valid");
}

TEST_CASE("a text that could exhaust the parser is refused before it gets there") {
  for (const auto* piece :
       {"[", "{", "a{", "a=[", "a=[{", "a.", "a.b=1\n", "a.b{", "1.a=1\n", "'a'.", "\"", "<", "=", "[1..2],"})
    for (const auto* start : {"", "a=", "a=[", "cluster {", "{"}) {
      CAPTURE(start);
      CAPTURE(piece);
      CHECK(told(start + repeated(piece, 100'000)) != "valid");
    }
  CHECK(told("a = [1..9223372036854775807]") == "spec:1:6: \"1..9223372036854775807\" is not a number");
}

TEST_CASE("a long word is cut in a message") {
  CHECK(told("cluster { name = " + repeated("x", 1000) + "}") ==
        "spec:1:18: \"" + repeated("x", 64) + "...\" is not a value (a text needs quotes)");
  const auto word = repeated("x", 3'000);
  for (const auto& text :
       {word + " = 1", word + " = 1\n" + word + " = 2", word + " =\n", word + " {\n y =\n}", word + " {",
        "cluster { nodes { " + word + " = 1 } }", with("cluster {", "cluster { paxos { " + word + " = 1 }"),
        with("cluster {", "cluster { paxos { window = \"" + word + "\" }")})
    CHECK(told(text).size() < 300);
}

TEST_CASE("keys are found in the order of the text, with their places") {
  const auto parsed = read_spec_text("b = 1\na { c = [{ d = 1 }, 5, { e = 2 }] }", "x");
  REQUIRE(std::holds_alternative<spec_text>(parsed));
  std::string found;
  for (const auto& key : std::get<spec_text>(parsed).keys)
    found += key.path + "@" + std::to_string(key.place.line) + ":" + std::to_string(key.place.column) + " ";
  CHECK(found == "b@1:1 a@2:1 a.c@2:5 a.c[0].d@2:12 a.c[2].e@2:26 ");
}

TEST_CASE("a spec that is cut off anywhere is never taken for a whole one") {
  const auto text = sample();
  const auto end = text.rfind('}') + 1;
  for (std::size_t size = 0; size <= text.size(); ++size) {
    CAPTURE(size);
    const auto result = message_of(parse_spec(std::string_view{text}.substr(0, size), known()));
    CHECK((result == "valid") == (size >= end));
  }
}

TEST_CASE("a spec with random wrong bytes is valid or told in one line") {
  const auto text = sample();
  const std::string bytes = "{}[]=:,.#\"'\\<> \n\t09-_az";
  std::size_t valid = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    prng random{seed};
    auto mutant = text;
    for (auto count = random.between(1, 4); count > 0; --count) {
      const auto at = static_cast<std::size_t>(random.below(mutant.size()));
      const auto byte = random.chance(50) ? bytes[static_cast<std::size_t>(random.below(bytes.size()))]
                                          : static_cast<char>(random.below(256));
      switch (random.below(3)) {
      case 0:
        mutant[at] = byte;
        break;
      case 1:
        mutant.insert(at, 1, byte);
        break;
      default:
        mutant.erase(at, static_cast<std::size_t>(random.between(1, 3)));
      }
    }
    const auto result = parse_spec(mutant, known());
    if (message_of(result) == "valid") {
      ++valid;
      check_valid(std::get<cluster_spec>(result));
    }
  }
  // Comments are half of the sample: a good part survives, and a good part does not.
  CHECK(valid > 200);
  CHECK(valid < 1800);
}
