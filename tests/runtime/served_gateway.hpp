// A gateway on a real socket whose backend the test plays.
#pragma once

#include "runtime/append_log_format.hpp"
#include "runtime/http_gateway.hpp"
#include "tests/runtime/http_client.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

namespace quorate {

/// A gateway on a free port with a backend that the test plays.
class served_gateway {
public:
  explicit served_gateway(http_options options = {}, bool answer_at_once = true)
      : at_once_(answer_at_once),
        gateway_("127.0.0.1:0", named(std::move(options)),
                 {[this](std::vector<client_request> list) { on_requests(std::move(list)); },
                  [this] {
                    std::lock_guard lock{mutex_};
                    return health_;
                  },
                  [] { return std::string{R"({"name":"demo"})"}; },
                  {}}) {
    const auto failed = gateway_.start();
    REQUIRE_MESSAGE(!failed, failed->message);
  }
  ~served_gateway() { gateway_.stop(); }

  http_gateway& gateway() { return gateway_; }
  [[nodiscard]] http_client client() const {
    http_client result{gateway_.port()};
    REQUIRE(result.connected());
    return result;
  }

  /// Waits until the backend has been given so many requests in all, and returns them.
  std::vector<client_request> await(std::size_t count) {
    std::unique_lock lock{mutex_};
    const auto in_time =
        changed_.wait_for(lock, std::chrono::seconds{10}, [&] { return requests_.size() >= count; });
    REQUIRE(in_time);
    return requests_;
  }
  std::vector<std::size_t> batches() {
    std::lock_guard lock{mutex_};
    return batches_;
  }
  void set_health(http_backend::health_state health) {
    std::lock_guard lock{mutex_};
    health_ = std::move(health);
  }
  /// Waits until the figures satisfy `good`.
  bool settles(const std::function<bool(const http_figures&)>& good) {
    for (int i = 0; i < 2000; ++i) {
      if (good(gateway_.figures()))
        return true;
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return false;
  }

  static client_reply index_for(const client_request& request, std::uint64_t index) {
    return {request.id, errc::ok, payload{encode_index(index)}};
  }

private:
  static http_options named(http_options options) {
    options.node = "n2";
    // Many tests leave requests unanswered.
    options.drain_timeout = std::min(options.drain_timeout, std::chrono::milliseconds{500});
    return options;
  }

  void on_requests(std::vector<client_request> list) {
    std::vector<client_reply> replies;
    {
      std::lock_guard lock{mutex_};
      batches_.push_back(list.size());
      for (auto& request : list) {
        if (request.kind == request_kind::write)
          replies.push_back(index_for(request, next_index_++));
        else
          replies.push_back({request.id, errc::ok, payload{log_page_writer{}.finish(0, next_index_)}});
        requests_.push_back(std::move(request));
      }
    }
    changed_.notify_all();
    if (at_once_)
      gateway_.answer(std::move(replies));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<client_request> requests_;
  std::vector<std::size_t> batches_;
  std::uint64_t next_index_ = 0;
  http_backend::health_state health_{true, {}};
  bool at_once_;
  http_gateway gateway_;
};

inline const std::string append_text = R"({"key":"k","value":1.0})";

inline bool says(const http_reply& reply, std::string_view text) {
  return reply.body.find(text) != std::string::npos;
}

inline std::string success(std::uint64_t index) {
  return R"({"status":"success","index":)" + std::to_string(index) + R"(,"node":"n2"})";
}

}  // namespace quorate
