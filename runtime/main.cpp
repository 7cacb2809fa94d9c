#include "runtime/process.hpp"
#include "runtime/process_start.hpp"

int main(int argc, char** argv) {
  quorate::begin_process();
  return quorate::run_process(argc, argv);
}
