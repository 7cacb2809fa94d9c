// One client's connection.
#pragma once

#include "runtime/answer_budget.hpp"
#include "runtime/beast.hpp"
#include "runtime/http_parser.hpp"

#include <chrono>
#include <deque>
#include <list>
#include <optional>

namespace quorate {

class http_loop;

/// Reads requests, hands them to the loop, and sends the answers in the requests' order. Lives on the loop's
/// thread. Invariant: slots_[i] belongs to request number first_slot_ + i of this connection.
class http_connection : public std::enable_shared_from_this<http_connection> {
public:
  using clock = std::chrono::steady_clock;

  http_connection(tcp::socket socket, http_loop& loop);

  void start();
  /// Answers before anything is read, and closes.
  void turn_away(http_answer answer);
  /// The answer to request number `slot`, and what it counts as until the client has it. Sent by the next `resume`.
  void answer(std::uint64_t slot, http_answer answer, answer_lease lease = {});
  /// Sends what is due, and goes on with reading where it had to wait.
  void resume();
  /// Ends what has taken too long.
  void check_deadlines(clock::time_point now);
  /// The gateway stops: no more requests, close when those in flight are answered.
  void drain();
  /// At once.
  void close();
  [[nodiscard]] bool closed() const { return closed_; }

private:
  /// A request's place in the row of answers.
  struct slot {
    enum class kind : std::uint8_t { answer, word_to_continue } what = kind::answer;
    bool close = false;      // after this answer
    bool head_only = false;  // the request was HEAD
    bool say_keep_alive = false;
    bool reads = false;      // a page of the log
    clock::time_point due;   // afterwards, an answer that the client does not take is nobody's
    std::optional<http_answer> ready;
    answer_lease lease = {};
  };
  /// Bytes that are due. Large answers have one of their own, so that nobody copies them.
  struct piece {
    std::string bytes;
    answer_lease lease = {};
    clock::time_point due;
  };

  void read();
  void take_input();
  void on_input(std::string_view bytes);
  void parse(std::string_view& bytes);
  void take_request();
  void refuse(http_answer answer);
  void note_body();
  [[nodiscard]] clock::time_point due_by_default() const;
  [[nodiscard]] bool may_take_request() const;
  void collect_answers();
  void put_out(slot& next);
  std::string& small_piece(clock::time_point due);
  void send();
  [[nodiscard]] std::size_t write_some(socket_error& error);
  void taken(std::size_t bytes);
  void wait_to_write();
  void note_acknowledged(clock::time_point now);
  void linger();
  [[nodiscard]] bool quiet() const { return slots_.empty() && unsent_ == 0; }

  tcp::socket socket_;
  http_loop& loop_;
  http_parser parser_;
  std::string rest_;  // read, and not taken by the parser yet
  std::deque<slot> slots_;
  std::uint64_t first_slot_ = 0;

  std::size_t reads_ = 0;  // in slots_

  std::list<piece> outgoing_;
  std::size_t sent_ = 0;         // of the first piece
  std::size_t unsent_ = 0;       // of all pieces
  std::uint64_t written_ = 0;       // to the socket, since the beginning
  std::uint64_t acknowledged_ = 0;  // of that, by the client's side, when it was last looked at
  std::uint64_t chunk_from_ = 0;    // acknowledged_ at chunk_began_
  std::size_t body_charge_ = 0;  // counted in the loop for the body that is coming in

  bool waiting_ = false;      // for the socket to become readable
  bool sending_ = false;      // the socket has not taken all that is due yet
  bool last_ = false;         // no request is taken any more; close when all is answered
  bool half_closed_ = false;  // the client will send no more
  bool lingering_ = false;    // everything is said; waiting for the client to close
  bool closed_ = false;

  clock::time_point idle_since_;
  clock::time_point request_began_;
  clock::time_point chunk_began_;
  clock::time_point taken_at_;  // the client has last taken something
  clock::time_point linger_began_;
};

}  // namespace quorate
