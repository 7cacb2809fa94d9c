// What a simulated node is made of.
#pragma once

#include "runtime/node.hpp"

namespace quorate::testing {

/// Starts roles on a runner. The default is `quorate::node`, whole; tests of single roles bring their own.
class assembly {
public:
  virtual ~assembly() = default;
  virtual void start() = 0;
  /// A message for port::node.
  virtual void on(node_id from, const box& message) = 0;
};

using assembler = std::function<std::unique_ptr<assembly>(const node_setup&, role_runner&)>;

/// A node with everything that it has in a process.
[[nodiscard]] assembler whole_node();

}  // namespace quorate::testing
