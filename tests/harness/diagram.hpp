// A run as a space-time diagram: one lifeline per node, messages between them.
#pragma once

#include "tests/harness/check.hpp"
#include "tests/harness/event_queue.hpp"
#include "tests/harness/scenario.hpp"

namespace quorate::testing {

/// What was seen of one run, in the order in which it happened. Messages of membership, and those that only
/// repeat what the same sender has said just before, are left out: they hide what matters.
class diagram {
public:
  enum class event : std::uint8_t {
    sends,
    takes,
    local,
    starts,
    crashes,
    loses_disk,
    asks,
    answers,
    fault,
    failure
  };

  struct row {
    time_point at{};
    event kind = event::local;
    node_id node;                      ///< whose lifeline; 0: all of them
    std::vector<node_id> others;       ///< recipients, or the sender
    std::string name;                  ///< short: of the message
    std::string text;                  ///< all of it
    std::vector<std::size_t> sent_in;  ///< of a message that is taken: the row that sent it
  };

  void add(row r) { rows_.push_back(std::move(r)); }
  [[nodiscard]] std::vector<row>& rows() { return rows_; }
  [[nodiscard]] const std::vector<row>& rows() const { return rows_; }

private:
  std::vector<row> rows_;
};

/// Records into `to`, which must outlive the run.
[[nodiscard]] std::unique_ptr<check> recorder(verdict& result, const event_queue& events, diagram& to);

/// How much of it is drawn: failures show at the end.
inline constexpr std::size_t diagram_rows = 300;

/// A column per node, a line per event, the last `rows_max` of them.
[[nodiscard]] std::string draw_text(const diagram& d, const scenario& s, const std::string& failure,
                                    std::size_t rows_max = diagram_rows);

/// The same as a picture (SVG 1.1): arrows from where a message was sent to where it was taken, a cross where
/// it never was, grey where a node was down, bands where a fault begins.
[[nodiscard]] std::string draw_svg(const diagram& d, const scenario& s, const std::string& failure,
                                   std::size_t rows_max = diagram_rows);

}  // namespace quorate::testing
