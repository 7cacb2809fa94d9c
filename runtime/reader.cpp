#include "runtime/reader.hpp"

#include "runtime/machine_view.hpp"

namespace quorate {

void reader::on(node_id from, const read_job& msg, out& o) {
  const machine_view view{msg.view};
  query_results results;
  for (const auto& q : msg.list) {
    auto answer = machine_->query(q.request.view(), view);
    results.list.push_back({q.id, answer.code, payload{std::move(answer.body)}});
  }
  o.send_now(from, std::move(results));  // it saves nothing
}

}  // namespace quorate
