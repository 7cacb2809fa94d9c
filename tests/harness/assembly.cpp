#include "tests/harness/assembly.hpp"

namespace quorate::testing {

namespace {

class whole : public assembly {
public:
  whole(const node_setup& setup, role_runner& runner) : node_(setup, runner) {}

  void start() override { node_.start(); }
  void on(node_id from, const box& message) override {
    static_cast<void>(from);
    // Everything else that comes here is for a status page.
    if (const auto* found = message.get<founded>())
      node_.on(*found);
  }

private:
  node node_;
};

}  // namespace

assembler whole_node() {
  return [](const node_setup& setup, role_runner& runner) -> std::unique_ptr<assembly> {
    return std::make_unique<whole>(setup, runner);
  };
}

}  // namespace quorate::testing
