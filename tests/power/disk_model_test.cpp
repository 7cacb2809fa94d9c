// The model of a disk, on traces made by hand: one that is wrong would prove nothing.

#include "tests/power/disk_model.hpp"

#include <doctest/doctest.h>

#include <list>
#include <set>

namespace {

using namespace quorate::testing;
using kind = disk_event_kind;

/// Writes a trace and shows what may be left of it.
class desk {
public:
  int open(std::string_view name, std::uint32_t flags = 0) {
    disk_event e;
    e.kind = kind::open;
    e.descriptor = ++descriptor_;
    e.flags = flags;
    e.name = name;
    model.apply(e);
    return descriptor_;
  }
  int create(std::string_view name) { return open(name, created); }
  void write(int file, std::uint64_t offset, std::string data) {
    auto e = event(kind::write, file);
    e.offset = offset;
    e.size = data.size();
    e.data = bytes_.emplace_back(std::move(data));
    model.apply(e);
  }
  void write_zeros(int file, std::uint64_t offset, std::uint64_t size) {
    auto e = event(kind::write, file);
    e.offset = offset;
    e.size = size;
    model.apply(e);
  }
  void truncate(int file, std::uint64_t size) {
    auto e = event(kind::truncate, file);
    e.size = size;
    model.apply(e);
  }
  std::uint64_t begin_sync(int file) {
    auto e = event(kind::sync_begins, file);
    e.sync = ++sync_;
    model.apply(e);
    return sync_;
  }
  void end_sync(int file, std::uint64_t number, kind how = kind::sync_ends) {
    auto e = event(how, file);
    e.sync = number;
    model.apply(e);
  }
  void sync(int file) { end_sync(file, begin_sync(file)); }
  void fail_sync(int file) { end_sync(file, begin_sync(file), kind::sync_fails); }
  void sync_directory(std::string_view name) { sync(open(name, directory)); }
  void make_directory(std::string_view name) { change(kind::make_directory, name); }
  void remove(std::string_view name) { change(kind::remove, name); }
  void rename(std::string_view from, std::string_view to) { change(kind::rename, from, to); }

  /// What may be left of one file, over many seeds; "-" where it is not there.
  [[nodiscard]] std::set<std::string> left(const std::string& name,
                                           std::set<survival> how = all_ways()) const {
    std::set<std::string> out;
    for (const auto one : how)
      for (std::uint64_t seed = 0; seed < 400; ++seed)
        out.insert(text(crash(one, seed), name));
    return out;
  }
  [[nodiscard]] disk_image crash(survival how, std::uint64_t seed) const {
    disk_model::random r{seed};
    return model.crash(how, r);
  }
  [[nodiscard]] static std::string text(const disk_image& i, const std::string& name) {
    const auto found = i.files.find(name);
    return found == i.files.end() ? "-" : found->second.text();
  }
  [[nodiscard]] static std::set<survival> all_ways() {
    std::set<survival> out;
    for (std::size_t i = 0; i < survivals; ++i)
      out.insert(static_cast<survival>(i));
    return out;
  }

  disk_model model;

private:
  [[nodiscard]] static disk_event event(kind what, int file) {
    disk_event e;
    e.kind = what;
    e.descriptor = file;
    return e;
  }
  void change(kind what, std::string_view name, std::string_view other = {}) {
    auto e = event(what, -1);
    e.name = name;
    e.other = other;
    model.apply(e);
  }

  int descriptor_ = 10;
  std::uint64_t sync_ = 0;
  std::list<std::string> bytes_;
};

using texts = std::set<std::string>;

TEST_CASE("what was synced is there, with its name, after any power loss") {
  desk d;
  const auto f = d.create("/a");
  d.write(f, 0, "hello");
  d.sync(f);
  d.sync_directory("");
  CHECK(d.left("/a") == texts{"hello"});
  CHECK(d.text(d.model.cached(), "/a") == "hello");
}

TEST_CASE("a sync of a file does not keep its name, and one of its directory does not keep its bytes") {
  desk d;
  const auto f = d.create("/a");
  d.write(f, 0, "hello");
  d.sync(f);
  CHECK(d.left("/a") == texts{"-", "hello"});

  desk other;
  const auto g = other.create("/a");
  other.write(g, 0, "hello");
  other.sync_directory("");
  CHECK(other.left("/a") == texts{"", "hello", std::string(5, '\0')});
}

TEST_CASE("what is written while a sync is under way is not durable when it ends") {
  desk d;
  const auto f = d.create("/a");
  d.sync_directory("");
  d.write(f, 0, "old");
  const auto first = d.begin_sync(f);
  d.write(f, 0, "new");
  CHECK(d.left("/a", {survival::nothing}) == texts{""});
  d.end_sync(f, first);
  CHECK(d.left("/a", {survival::nothing}) == texts{"old"});
  CHECK(d.left("/a") == texts{"old", "new"});
  d.sync(f);
  CHECK(d.left("/a") == texts{"new"});
}

TEST_CASE("pages of one write are kept and lost in any order, each as a whole where nothing is torn") {
  desk d;
  const auto f = d.create("/a");
  d.write_zeros(f, 0, 2 * page_bytes);
  d.sync(f);
  d.sync_directory("");
  d.write(f, 0, std::string(page_bytes, 'a') + std::string(page_bytes, 'b'));
  const std::string zeros(page_bytes, '\0');
  const std::string a(page_bytes, 'a');
  const std::string b(page_bytes, 'b');
  CHECK(d.left("/a", {survival::pages}) == texts{zeros + zeros, a + zeros, zeros + b, a + b});
  CHECK(d.left("/a", {survival::nothing}) == texts{zeros + zeros});
  CHECK(d.left("/a", {survival::everything}) == texts{a + b});
  CHECK(d.left("/a", {survival::files}) == texts{zeros + zeros, a + b});
}

TEST_CASE("a page is as the cache had it at some moment: a later write never without an earlier one in it") {
  desk d;
  const auto f = d.create("/a");
  d.write(f, 0, "....");
  d.sync(f);
  d.sync_directory("");
  d.write(f, 0, "A");
  d.write(f, 2, "B");
  CHECK(d.left("/a", {survival::pages}) == texts{"....", "A...", "A.B."});
  CHECK(d.left("/a", {survival::suffix}) == texts{"....", "A.B."});
}

TEST_CASE("a later write to another page may be there without an earlier one") {
  desk d;
  const auto f = d.create("/a");
  d.write_zeros(f, 0, 2 * page_bytes);
  d.sync(f);
  d.sync_directory("");
  d.write(f, 0, "first");
  d.write(f, page_bytes, "second");
  for (const auto how : {survival::suffix, survival::pages}) {
    auto seen = false;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
      const auto text = desk::text(d.crash(how, seed), "/a");
      seen = seen || (text[0] == '\0' && text[page_bytes] == 's');
    }
    CHECK(seen);
  }
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto text = desk::text(d.crash(survival::prefix, seed), "/a");
    CHECK((text[0] == 'f' || text[page_bytes] == '\0'));
  }
}

TEST_CASE("a torn page has sectors of two moments, and each sector is of one of them") {
  desk d;
  const auto f = d.create("/a");
  d.write(f, 0, std::string(page_bytes, 'a'));
  d.sync(f);
  d.sync_directory("");
  d.write(f, 0, std::string(page_bytes, 'b'));
  auto torn = false;
  for (const auto how : {survival::torn, survival::prefix})
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
      const auto text = desk::text(d.crash(how, seed), "/a");
      REQUIRE(text.size() == page_bytes);
      for (std::size_t at = 0; at < page_bytes; at += sector_bytes)
        CHECK(std::string_view{text}.substr(at, sector_bytes) == std::string(sector_bytes, text[at]));
      torn = torn || (text.find('a') != text.npos && text.find('b') != text.npos);
    }
  CHECK(torn);
}

TEST_CASE("a file that grows may have its old length, or its new one with zeros where a page was lost") {
  desk d;
  const auto f = d.create("/a");
  d.write(f, 0, "abc");
  d.sync(f);
  d.sync_directory("");
  d.write(f, 3, "def");
  CHECK(d.left("/a") == texts{"abc", "abcdef", std::string{"abc\0\0\0", 6}});
}

TEST_CASE("a truncation is kept or lost, and nothing old stands behind the new end") {
  desk d;
  const auto f = d.create("/a");
  d.write(f, 0, "abcdef");
  d.sync(f);
  d.sync_directory("");
  d.truncate(f, 2);
  d.write(f, 4, "x");
  CHECK(desk::text(d.model.cached(), "/a") == std::string{"ab\0\0x", 5});
  d.sync(f);
  CHECK(d.left("/a") == texts{std::string{"ab\0\0x", 5}});
}

TEST_CASE(
    "after a sync that failed, a later one that succeeds makes nothing durable but what was written again") {
  desk d;
  const auto f = d.create("/a");
  d.write_zeros(f, 0, 2 * page_bytes);
  d.sync(f);
  d.sync_directory("");
  d.write(f, 0, "lost");
  d.write(f, page_bytes, "lost too");
  d.fail_sync(f);
  d.sync(f);
  CHECK(desk::text(d.model.cached(), "/a").starts_with("lost"));
  CHECK(desk::text(d.crash(survival::nothing, 1), "/a")[0] == '\0');
  // Or it had been written, all the same.
  CHECK(desk::text(d.crash(survival::everything, 1), "/a").starts_with("lost"));
  // The whole page is written with the byte that makes it dirty.
  d.write(f, 100, "x");
  d.sync(f);
  const auto after = desk::text(d.crash(survival::nothing, 1), "/a");
  CHECK(after.starts_with("lost"));
  CHECK(after[page_bytes] == '\0');
}

TEST_CASE("a process that ends leaves its pages in the cache, where the next one's sync finds them") {
  desk d;
  const auto f = d.create("/a");
  d.sync_directory("");
  d.write(f, 0, "hello");
  d.model.process_ends();
  CHECK_THROWS(d.write(f, 0, "x"));
  CHECK(desk::text(d.model.cached(), "/a") == "hello");
  CHECK(d.left("/a", {survival::nothing}) == texts{""});
  d.sync(d.open("/a"));
  CHECK(d.left("/a") == texts{"hello"});
}

TEST_CASE("a rename survives whole or not at all") {
  desk d;
  const auto old = d.create("/a");
  d.write(old, 0, "old");
  d.sync(old);
  d.sync_directory("");
  const auto next = d.create("/a.new");
  d.write(next, 0, "new");
  d.sync(next);
  d.rename("/a.new", "/a");
  CHECK(d.left("/a") == texts{"old", "new"});
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto image = d.crash(survival::prefix, seed);
    CHECK((desk::text(image, "/a") == "old" || desk::text(image, "/a.new") == "-"));
  }
  d.sync_directory("");
  CHECK(d.left("/a") == texts{"new"});
  CHECK(d.left("/a.new") == texts{"-"});
}

TEST_CASE("a rename without a sync of the bytes may leave an empty file in place of the old one") {
  desk d;
  const auto old = d.create("/a");
  d.write(old, 0, "old");
  d.sync(old);
  d.sync_directory("");
  d.write(d.create("/a.new"), 0, "new");
  d.rename("/a.new", "/a");
  CHECK(d.left("/a") == texts{"old", "", "new", std::string(3, '\0')});
}

TEST_CASE("a removal that was not synced may be undone, with the bytes that were durable") {
  desk d;
  const auto f = d.create("/a");
  d.write(f, 0, "hello");
  d.sync(f);
  d.sync_directory("");
  d.remove("/a");
  CHECK(d.left("/a") == texts{"hello", "-"});
  CHECK(desk::text(d.model.cached(), "/a") == "-");
  // A new file of that name is another one.
  d.write(d.create("/a"), 0, "x");
  d.sync_directory("");
  CHECK(d.left("/a") == texts{"", "x", std::string(1, '\0')});
}

TEST_CASE("what is in a directory goes with it") {
  desk d;
  d.make_directory("/d");
  const auto f = d.create("/d/a");
  d.write(f, 0, "hello");
  d.sync(f);
  d.sync_directory("/d");
  CHECK(d.left("/d/a") == texts{"hello", "-"});
  d.sync_directory("");
  CHECK(d.left("/d/a") == texts{"hello"});
}

TEST_CASE("names of one directory are lost from one moment on, or one by one") {
  desk d;
  for (const auto* name : {"/a", "/b"})
    d.sync(d.create(name));
  const auto both = [&](survival how) {
    std::set<std::pair<bool, bool>> out;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
      const auto i = d.crash(how, seed);
      out.emplace(i.files.contains("/a"), i.files.contains("/b"));
    }
    return out;
  };
  CHECK(both(survival::prefix).size() == 3);
  CHECK_FALSE(both(survival::prefix).contains({false, true}));
  CHECK(both(survival::pages).contains({false, true}));
}

TEST_CASE("one seed gives one power loss") {
  desk d;
  const auto f = d.create("/a");
  d.write_zeros(f, 0, 64 * page_bytes);
  d.sync(f);
  d.write(f, 0, std::string(64 * page_bytes, 'a'));
  for (const auto how : desk::all_ways())
    for (std::uint64_t seed = 0; seed < 20; ++seed)
      CHECK(d.crash(how, seed).difference(d.crash(how, seed)) == "");
}

TEST_CASE("a trace that does not fit is refused") {
  desk d;
  CHECK_THROWS(d.write(77, 0, "x"));
  CHECK_THROWS(d.remove("/none"));
  static_cast<void>(d.create("/a"));
  d.make_directory("/d");
  CHECK_THROWS(d.rename("/a", "/d/a"));
}

}  // namespace
