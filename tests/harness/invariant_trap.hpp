// Turns broken invariants into something that a run can report.
#pragma once

#include <stdexcept>
#include <string>

namespace quorate::testing {

/// An ENSURE that failed while a trap was set.
class invariant_broken : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// While one lives, a failed ENSURE on this thread throws `invariant_broken`; on others it aborts as usual.
class invariant_trap {
public:
  invariant_trap();
  ~invariant_trap();
  invariant_trap(const invariant_trap&) = delete;
  invariant_trap& operator=(const invariant_trap&) = delete;
};

}  // namespace quorate::testing
