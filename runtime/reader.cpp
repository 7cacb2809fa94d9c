#include "runtime/reader.hpp"

#include "actors/limits.hpp"
#include "runtime/machine_view.hpp"

namespace quorate {

namespace {

const payload no_memory{"the node has reached answer_bytes_max: too many answers to reads wait for their clients"};
const payload too_late{"the read's deadline has passed"};

}  // namespace

void reader::on(node_id from, const read_job& msg, out& o) {
  const machine_view view{msg.view};
  query_results results;
  for (const auto& q : msg.list) {
    // The edge has answered it, or is about to.
    if (q.deadline <= o.now())
      results.list.push_back({q.id, errc::no_quorum, too_late});
    else
      results.list.push_back(answer(q, view));
  }
  o.send_now(from, std::move(results));  // it saves nothing
}

query_result reader::answer(const query& q, const store_view& view) const {
  // How large it will be nobody knows: room for a large one must be there first.
  auto lease = answer_lease::take(memory_, limits::answer_bytes_expected);
  if (!lease)
    return {q.id, errc::overloaded, no_memory};
  auto made = machine_->query(q.request.view(), view);
  lease->resize(made.body.capacity());
  return {q.id, made.code, leased_payload(std::move(made.body), std::move(*lease))};
}

}  // namespace quorate
