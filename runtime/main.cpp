#include "runtime/process.hpp"

int main(int argc, char** argv) { return quorate::run_process(argc, argv); }
