// What RocksDB has to say for itself.
#pragma once

#include <rocksdb/env.h>

namespace quorate {

/// Writes RocksDB's warnings as lines of our log, at debug: whatever matters comes back as a status too.
///
/// RocksDB's own info log, a file beside the data, must not be used: a write to it that fails is ignored, and
/// the next one runs into an assertion of WritableFileWriter, which Debian's build has on. So a full disk
/// would end the process with SIGABRT.
class rocks_log : public rocksdb::Logger {
public:
  rocks_log() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}

  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list values) override;
};

}  // namespace quorate
