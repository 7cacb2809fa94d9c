#include "actors/journal.hpp"

#include "tests/harness/journal_suite.hpp"

using namespace quorate;
using namespace quorate::testing;

namespace {

class memory_subject : public journal_subject {
public:
  journal& now() override { return journal_; }
  void crash(prng& random) override { journal_.crash(random.below(journal_.unsynced() + 1)); }

private:
  memory_journal journal_;
};

std::string text(const batch_references::changes& c) {
  std::string out;
  for (const auto& batch : c.store)
    out += "store " + std::to_string(batch.id.number) + " ";
  for (const auto& id : c.drop)
    out += "drop " + std::to_string(id.number) + " ";
  return out;
}

std::string put_into(batch_references& refs, const std::string& key, std::optional<std::uint64_t> number) {
  batch_references::changes changes;
  refs.put(key, number ? std::optional{a_batch(*number)} : std::nullopt, changes);
  return text(changes);
}

}  // namespace

TEST_CASE("the journal in memory does what every journal must") {
  journal_suite([] { return std::make_unique<memory_subject>(); }, 500);
}

TEST_CASE("the journal in memory keeps exactly the prefix that it is told to") {
  for (std::size_t keep = 0; keep <= 3; ++keep) {
    memory_journal j;
    REQUIRE(!j.commit({put("a", "1")}, true));
    for (const auto* key : {"b", "c", "d"})
      REQUIRE(!j.commit({put(key, "2")}, false));
    CHECK(j.unsynced() == 3);
    j.crash(keep);
    CHECK(rows_of(j) == std::string{"a=1\nb=2\nc=2\nd=2\n"}.substr(0, 4 + 4 * keep));
    CHECK(j.unsynced() == 0);
  }
}

TEST_CASE("the journal in memory syncs the oldest commits first") {
  memory_journal j;
  REQUIRE(!j.commit({put("a", "1")}, false));
  REQUIRE(!j.commit({put("b", "2")}, false));
  j.sync_first(1);
  CHECK(j.unsynced() == 1);
  j.crash(0);
  CHECK(rows_of(j) == "a=1\n");
}

TEST_CASE("the journal in memory fails when told to, and keeps nothing of what failed") {
  memory_journal j;
  REQUIRE(!j.commit({put("a", "1")}, true));
  j.fail_with("the disk is full");
  const auto failed = j.commit({put("b", "2")}, true);
  REQUIRE(failed);
  CHECK(failed->code == errc::io_failed);
  CHECK(failed->message == "the disk is full");
  CHECK(rows_of(j) == "a=1\n");
  j.fail_with(std::nullopt);
  CHECK(!j.commit({put("b", "2")}, true));
  CHECK(rows_of(j) == "a=1\nb=2\n");
}

TEST_CASE("a batch is stored with its first reference and dropped with its last") {
  batch_references refs;
  CHECK(put_into(refs, "a", 1) == "store 1 ");
  CHECK(put_into(refs, "a", 1).empty());
  CHECK(put_into(refs, "b", 1).empty());
  CHECK(put_into(refs, "a", 2) == "store 2 ");
  CHECK(put_into(refs, "b", std::nullopt) == "drop 1 ");
  CHECK(put_into(refs, "b", std::nullopt).empty());
  CHECK(put_into(refs, "a", 3) == "store 3 drop 2 ");
  CHECK(refs.holds(a_batch(3).id));
  CHECK(!refs.holds(a_batch(2).id));
  CHECK(refs.size() == 1);
}

TEST_CASE("an erased range releases its batches, an empty or backward one none") {
  batch_references refs;
  refs.found("a", a_batch(1).id);
  refs.found("b", a_batch(1).id);
  refs.found("c", a_batch(2).id);
  batch_references::changes changes;
  refs.erase("c", "a", changes);
  refs.erase("b", "b", changes);
  CHECK(text(changes).empty());
  refs.erase("b", "d", changes);
  CHECK(text(changes) == "drop 2 ");
  CHECK(refs.holds(a_batch(1).id));
  refs.erase("", "b", changes);
  CHECK(text(changes) == "drop 2 drop 1 ");
  CHECK(refs.size() == 0);
}
