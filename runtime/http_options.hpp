// What an HTTP gateway is given.
#pragma once

#include "actors/traffic.hpp"
#include "balancers/contract.hpp"
#include "runtime/answer_budget.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace quorate {

/// Limits of the HTTP interface. What reaches one gets a clear error; nothing grows beyond.
struct http_options {
  std::string node = "n1";  ///< this node's name, for answers

  std::size_t connections_max = 4096;            ///< open connections; the next is told 503 and closed
  std::size_t turned_away_max = 64;              ///< of those beyond, that are told so; further ones are just closed
  std::size_t requests_in_flight_max = 16'384;   ///< writes that the node works on, and reads; the next is told 429
  std::size_t request_bytes_max = 256ULL << 20;  ///< bodies of requests, coming in or in flight; beyond: 429
  /// Answers to reads, from before they are made until they are sent; beyond, a read is told 429. Shared with whoever
  /// makes them; null: the gateway's own, with answer_bytes_max.
  std::shared_ptr<answer_budget> answers = nullptr;
  std::size_t answer_bytes_max = answer_budget::bytes_max_default;
  std::size_t pipeline_max = 64;  ///< requests in flight on one connection; beyond, reading pauses
  std::size_t pipelined_reads_max = 8;  ///< of them, reads of the log; beyond, reading pauses
  std::size_t unsent_bytes_max = 256 * 1024;  ///< unsent bytes on one connection; beyond, reading pauses
  std::size_t header_bytes_max = 16 * 1024;   ///< header of one request; beyond: 431

  std::chrono::milliseconds answer_timeout{5'000};  ///< for a request that does not say ?timeout_ms=
  std::chrono::milliseconds idle_timeout{60'000};   ///< a connection without requests is closed
  std::chrono::milliseconds request_timeout{
      10'000};  ///< from a request's first byte to its last; beyond: 408
  std::chrono::milliseconds write_timeout{
      10'000};  ///< for each 256 KiB that a client is to take off our hands
  /// A client that has taken nothing for so long, and has an answer waiting that is past its request's deadline, is
  /// closed.
  std::chrono::milliseconds unread_timeout{1'000};
  std::chrono::milliseconds linger_timeout{1'000};  ///< after the last answer, for the client to close
  std::chrono::milliseconds drain_timeout{3'000};   ///< on stop, for requests in flight
};

/// Where an HTTP gateway gets its answers. None of these may block or throw.
struct http_backend {
  struct health_state {
    bool ok = false;
    std::string reason;  ///< one sentence where not ok
    errc why = errc::no_quorum;  ///< where not ok
  };

  /// Called on the gateway's thread, once per turn of its event loop, with all requests that were read in
  /// that turn. Each must be answered once, through http_gateway::answer.
  std::function<void(std::vector<client_request>)> submit;
  /// Called on the gateway's thread.
  std::function<health_state()> health;
  /// Called on the gateway's thread; the text of a JSON object.
  std::function<std::string()> cluster;
  /// Optional: one line about what the gateway cannot tell a client.
  std::function<void(const std::string&)> warn;
  /// Optional, called on the gateway's thread: another balancing policy from now on.
  std::function<status(balancers::chosen_policy)> balance = {};
};

/// What a gateway is doing.
struct http_figures {
  std::uint64_t connections = 0;  ///< open now
  std::uint64_t in_flight = 0;    ///< requests that the backend has not answered yet
  std::uint64_t requests = 0;     ///< read since the start
  std::uint64_t refused = 0;      ///< requests and connections that a limit has refused since the start
};

}  // namespace quorate
