// What only somebody who knows the messages of mencius can see.
#pragma once

#include "tests/harness/mencius_record.hpp"
#include "tests/harness/scenario.hpp"

#include <map>
#include <string>

namespace quorate::testing {

/// One check, `mencius`, whose parts fail under names of their own.
///
/// - M1 one value: a slot holds one value, over all members, ballots and starts; whoever states one is right.
/// - M2 ballot 0: only an owner suggests, and one batch of its own per slot for ever.
/// - M3 promises: no vote below a promise or an earlier vote, no promise that hides a vote, no ballot twice.
/// - M4 claims: no skip covers a suggestion, both lie below a ceiling saved before, nobody makes up skips.
/// - M5 found: above ballot 0 there is only what a majority's promises allow.
/// - M6 order: deliveries are chosen, in slot order, and what lies between is empty.
/// - M7 once: a command is suggested again only where its slot was decided otherwise or was passed.
/// - M8 barrier: reached behind everything chosen before it, after a majority's answers to this start.
/// - M9 forgetting: below the floor nothing is promised as if it were new.
/// - H highest: nobody takes a slot for one with a batch where none was suggested, there or above.
///
/// What members may still need, what is executed twice, disks and epochs that are none of ours, and commands
/// that are never answered are seen by the checks that every run has.
[[nodiscard]] std::vector<check_factory> mencius_checks(std::size_t members);

[[nodiscard]] std::map<std::string, std::string> draw_mencius_options(prng& random);
void draw_mencius_limits(role_limits& out, prng& random);
[[nodiscard]] std::vector<command_id> handed_on_by_mencius(const box& message);

/// A part of it. Its hooks run after the record has the message.
class mencius_part : public check {
public:
  mencius_part(verdict& result, const mencius_record& record) : check(result), record_(record) {}

protected:
  [[nodiscard]] const mencius_record& record() const { return record_; }
  [[nodiscard]] std::string at(mencius::slot s) const { return "slot " + std::to_string(s) + ": "; }

private:
  const mencius_record& record_;
};

using mencius_parts = std::vector<std::unique_ptr<check>>;

/// M1, M2, M4, M6, H.
void add_mencius_value_parts(mencius_parts& parts, verdict& result, const mencius_record& record);
/// M3, M5.
void add_mencius_ballot_parts(mencius_parts& parts, verdict& result, const mencius_record& record);
/// M7, M8, M9.
void add_mencius_service_parts(mencius_parts& parts, verdict& result, const mencius_record& record);

}  // namespace quorate::testing
