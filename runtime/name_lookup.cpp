#include "runtime/name_lookup.hpp"

#include "runtime/ip_address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <optional>
#include <thread>

namespace quorate {

namespace {

using clock = std::chrono::steady_clock;

/// What came when nobody waited for it any more is as good as fresh for so long.
constexpr std::chrono::seconds keeps_for{5};

std::optional<std::string> spelled(const addrinfo& found) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  const void* bytes = nullptr;
  if (found.ai_family == AF_INET)
    bytes = &reinterpret_cast<const sockaddr_in*>(found.ai_addr)->sin_addr;
  else if (found.ai_family == AF_INET6)
    bytes = &reinterpret_cast<const sockaddr_in6*>(found.ai_addr)->sin6_addr;
  if (bytes == nullptr || ::inet_ntop(found.ai_family, bytes, text.data(), text.size()) == nullptr)
    return std::nullopt;
  return std::string{text.data()};
}

host_addresses ask_system(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const auto error = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found); error != 0)
    return failure{errc::io_failed, std::string{"cannot be looked up: "} +
                                        (error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error))};
  std::vector<std::string> addresses;
  for (const auto* one = found; one != nullptr; one = one->ai_next)
    if (auto text = spelled(*one);
        text && std::find(addresses.begin(), addresses.end(), *text) == addresses.end())
      addresses.push_back(std::move(*text));
  ::freeaddrinfo(found);
  if (addresses.empty())
    return failure{errc::io_failed, "has no IP address"};
  return addresses;
}

}  // namespace

struct name_lookup::lookup {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<host_addresses> result;
  clock::time_point done_at{};

  [[nodiscard]] bool is_stale(clock::time_point now) {
    const std::lock_guard lock{mutex};
    return result && now - done_at > keeps_for;
  }
};

name_lookup::name_lookup(resolver resolve) : resolve_(resolve ? std::move(resolve) : resolver{&ask_system}) {}

host_addresses name_lookup::find(const std::string& host, std::chrono::milliseconds within) {
  if (auto address = ip_address(host))
    return std::vector{std::move(*address)};
  std::shared_ptr<lookup> asked;
  {
    const std::lock_guard lock{mutex_};
    auto& slot = under_way_[host];
    if (slot == nullptr || slot->is_stale(clock::now())) {
      slot = std::make_shared<lookup>();
      std::thread{[host, to = slot, resolve = resolve_] {
        auto result = resolve(host);
        const std::lock_guard own{to->mutex};
        to->result = std::move(result);
        to->done_at = clock::now();
        to->changed.notify_all();
      }}.detach();
    }
    asked = slot;
  }
  std::unique_lock own{asked->mutex};
  if (!asked->changed.wait_for(own, within, [&] { return asked->result.has_value(); }))
    return failure{errc::io_failed, "is not known yet: no name server has answered in " +
                                        std::to_string(within.count()) + " ms"};
  auto result = *asked->result;
  own.unlock();
  // The next one asks anew.
  const std::lock_guard lock{mutex_};
  if (const auto found = under_way_.find(host); found != under_way_.end() && found->second == asked)
    under_way_.erase(found);
  return result;
}

name_lookup& system_lookup() {
  // Threads that look up may outlive main.
  static auto* const lookup = new name_lookup;
  return *lookup;
}

}  // namespace quorate
