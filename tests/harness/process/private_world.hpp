// Namespaces of the test's own: what it does to networks and mounts, nobody else sees, and the system takes
// all of it back when the test and its children have ended, however they end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace quorate::testing {

/// Gives this process a network and mounts of its own, as root or, where the system lets users do that,
/// without. Empty, or why it cannot be. \pre no other thread runs, and no process has been started that is to
/// share them.
[[nodiscard]] std::string enter_private_world();

/// A bridge with the test on it and one network namespace for each node, so that any node can be made deaf to
/// any other one while clients reach all of them.
class private_network {
public:
  /// \pre enter_private_world() has succeeded. `trouble()` is empty where all of it stands.
  explicit private_network(std::size_t nodes);
  ~private_network();
  private_network(const private_network&) = delete;
  private_network& operator=(const private_network&) = delete;

  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] std::string host(std::size_t n) const { return "10.77.0." + std::to_string(n); }
  /// What a process must be started with to be node `n`.
  [[nodiscard]] int descriptor(std::size_t n) const { return networks_[n - 1]; }

  /// Whatever `from` sends to `to` vanishes without a word, also on connections that stand.
  void cut(std::size_t from, std::size_t to);
  /// Ends one cut; the link is whole where there were as many of these.
  void mend(std::size_t from, std::size_t to);

private:
  void rule(const std::string& verb, std::size_t from, std::size_t to);
  void ip(const std::vector<std::string>& words, int network = -1);
  void add(std::size_t n);

  std::vector<int> networks_;
  std::map<std::pair<std::size_t, std::size_t>, int> cuts_;
  std::string trouble_;
};

/// A file system in memory that is as large as it was made, gone with the object.
class small_disk {
public:
  /// \pre enter_private_world() has succeeded. Mounts on `where`, which it makes.
  small_disk(std::filesystem::path where, std::uint64_t mib);
  ~small_disk();
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] const std::filesystem::path& where() const { return where_; }
  /// Leaves not one byte.
  void fill();
  void free() const;

private:
  [[nodiscard]] std::filesystem::path ballast() const { return where_ / "ballast"; }

  std::filesystem::path where_;
  std::string trouble_;
};

}  // namespace quorate::testing
