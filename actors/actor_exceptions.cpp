#include "actors/actor_exceptions.hpp"

#include <caf/scheduled_actor.hpp>

#include <exception>
#include <utility>

namespace quorate {

void end_with_exceptions(caf::scheduled_actor* self, std::function<void(const std::string& message)> fatal,
                         std::string place) {
  self->set_exception_handler(
      [fatal = std::move(fatal), place = std::move(place)](std::exception_ptr& error) -> caf::error {
        try {
          std::rethrow_exception(error);
        } catch (const std::exception& e) {
          fatal(place + ": " + e.what());
        } catch (...) {
          fatal(place + ": unknown exception");
        }
        return caf::sec::runtime_error;
      });
}

}  // namespace quorate
