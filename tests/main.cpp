#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/source_dir.hpp"

#include <doctest/doctest.h>

std::string quorate::testing::source_dir() {
  return QUORATE_SOURCE_DIR;
}

int main(int argc, char** argv) {
  return doctest::Context(argc, argv).run();
}
