#include "runtime/http_gateway.hpp"

#include "runtime/http_loop.hpp"

namespace quorate {

http_gateway::http_gateway(std::string address, http_options options, http_backend backend)
    : address_(std::move(address)),
      loop_(std::make_unique<http_loop>(std::move(options), std::move(backend))) {}

http_gateway::~http_gateway() {
  stop();
}

status http_gateway::bind() {
  auto failed = loop_->open(address_);
  bound_ = !failed;
  return failed;
}

status http_gateway::bind(listening_socket socket) {
  auto failed = loop_->listen(std::move(socket));
  bound_ = !failed;
  return failed;
}

status http_gateway::start() {
  if (!bound_)
    if (auto failed = bind())
      return failed;
  // What a handler throws is a broken invariant (or no memory): noexcept makes it end the process.
  thread_ = std::thread{[this]() noexcept { loop_->run(); }};
  return std::nullopt;
}

void http_gateway::stop() {
  if (!thread_.joinable())
    return;
  loop_->stop();
  thread_.join();
}

void http_gateway::answer(std::vector<client_reply> replies) {
  loop_->answer(std::move(replies));
}

std::uint16_t http_gateway::port() const {
  return loop_->port();
}

http_figures http_gateway::figures() const {
  return loop_->figures();
}

}  // namespace quorate
