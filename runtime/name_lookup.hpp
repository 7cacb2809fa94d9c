// The addresses of hosts that are given by name.
#pragma once

#include "actors/errors.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

namespace quorate {

/// IP addresses, in the spelling of ip_address and in the order in which they are to be tried; never empty. Or why
/// there are none, in words that go behind the name.
using host_addresses = std::variant<std::vector<std::string>, failure>;

/// Looks names up anew at each call, as addresses behind a name change, without ever waiting for longer than the
/// caller wants to: the system's way to look up blocks for as long as a name server is silent, so each lookup has
/// a thread of its own. At most one lookup of a name is under way; who asks meanwhile gets its result.
class name_lookup {
public:
  using resolver = std::function<host_addresses(const std::string& host)>;

  static constexpr std::size_t addresses_max = 4;  ///< of one name that are tried

  /// \pre where it is given, `resolve` may block, and outlives all calls
  explicit name_lookup(resolver resolve = {});

  /// An IP address is its own address, at once. From any thread.
  [[nodiscard]] host_addresses find(const std::string& host, std::chrono::milliseconds within);

private:
  struct lookup;

  resolver resolve_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<lookup>> under_way_;
};

/// The one of this process; it asks the system (/etc/hosts, DNS).
[[nodiscard]] name_lookup& system_lookup();

}  // namespace quorate
