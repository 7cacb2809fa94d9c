#include "actors/message.hpp"

namespace quorate {

std::string_view to_string(port p) {
  switch (p) {
  case port::node:
    return "node";
  case port::founding:
    return "founding";
  case port::membership:
    return "membership";
  case port::gateway:
    return "gateway";
  case port::edge:
    return "edge";
  case port::replica:
    return "replica";
  case port::proposer:
    return "proposer";
  case port::acceptor:
    return "acceptor";
  case port::learner:
    return "learner";
  case port::sync:
    return "sync";
  case port::reader:
    return "reader";
  case port::desk:
    return "desk";
  case port::balancer:
    return "balancer";
  }
  return "unknown";
}

}  // namespace quorate
