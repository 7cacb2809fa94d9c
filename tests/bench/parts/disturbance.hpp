// What is done to one node of a cluster under measurement.
#pragma once

#include "tests/bench/parts/subject.hpp"
#include "tests/harness/process/private_world.hpp"

namespace quorate::bench {

enum class disturbance : std::uint8_t {
  kill,       ///< SIGKILL
  freeze,     ///< SIGSTOP, and SIGCONT later
  cut,        ///< neither of the other two nodes hears it, and it hears neither; its clients reach it
  slow_cpu,   ///< it runs one tenth of the time, in slices of 5 ms
  slow_disk,  ///< each of its syncs takes 3 ms longer: ten times what a fast disk needs
};

[[nodiscard]] std::string_view to_string(disturbance d);
/// Nothing where there is no such one.
[[nodiscard]] std::optional<disturbance> disturbance_named(std::string_view name);

/// Disturbs one node while it lives.
class disturber {
public:
  /// \param network null where nodes have none of their own: then nothing can be cut.
  /// \param slow_control of make_slowable, for slow_disk only.
  disturber(subject& cluster, testing::private_network* network, disturbance what, std::size_t victim,
            std::string slow_control = {});
  /// Takes it back; a killed node is not started again.
  ~disturber();
  disturber(const disturber&) = delete;
  disturber& operator=(const disturber&) = delete;

private:
  void links(bool cut);

  subject& cluster_;
  testing::private_network* network_;
  disturbance what_;
  std::size_t victim_;
  std::string slow_control_;
  std::atomic<bool> over_{false};
  std::thread stutter_;
};

/// Makes the disk of a node that will run there one that can be slowed down; only where the program uses the
/// C library, which etcd does not. `control` is a file that it makes.
void make_slowable(testing::node_place& place, const std::string& control);

}  // namespace quorate::bench
