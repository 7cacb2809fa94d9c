// Boost.Asio and Boost.Beast, in the one way that compiles: Debian 12's Boost 1.74 uses std::exchange without
// its header when it is compiled as C++20. Nothing else may include them.
#pragma once

// clang-format off
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
// clang-format on

namespace quorate {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using socket_error = boost::system::error_code;

}  // namespace quorate
