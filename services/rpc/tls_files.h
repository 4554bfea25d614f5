// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "services/core/base/octets.h"

namespace idzone::rpc {

/// The PEM files of one end of a TLS connection.
struct TlsFileNames {
  std::filesystem::path certificate;
  std::filesystem::path private_key;
  std::filesystem::path authorities;  // empty: none
};

/// Copies of the operator's files for gRPC's own watcher, which ends the process when it meets one that is just being written.
/// Once a second the files are looked at; when they changed and are right (a certificate and its key, authorities that can be
/// read), the copies take their content; until then they keep the old one. Copies lie in memory (memfd_create(2)), each under
/// one path for good, and change as a whole.
class TlsFiles {
 public:
  /// KEY_FILE_INVALID when they are not right. `refused` hears, once each time, why a change was not taken; its thread
  /// is this object's.
  static Result<std::unique_ptr<TlsFiles>> Open(TlsFileNames names, std::function<void(const Error&)> refused = {});
  ~TlsFiles();
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;

  /// Where the copies are; authorities: empty when there are none.
  const TlsFileNames& copies() const { return copies_; }

  /// Looks now. Threads: any.
  Result<void> Refresh();

 private:
  struct Content {
    Octets certificate;
    Octets private_key;
    Octets authorities;
    friend bool operator==(const Content&, const Content&) = default;
  };
  /// One copy: a descriptor whose number never changes.
  struct Copy {
    int descriptor = -1;
    ~Copy();
    Result<void> Hold(OctetsView content);
    std::filesystem::path Path() const;
  };

  TlsFiles(TlsFileNames names, std::function<void(const Error&)> refused) : names_(std::move(names)), refused_(std::move(refused)) {}
  Result<Content> Read() const;
  void Watch(const std::stop_token& stop);

  const TlsFileNames names_;
  const std::function<void(const Error&)> refused_;
  TlsFileNames copies_;
  Copy certificate_;
  Copy private_key_;
  Copy authorities_;
  Content held_;
  std::mutex refresh_mutex_;
  std::mutex wake_mutex_;
  std::condition_variable_any wake_;
  std::jthread watcher_;  // last: the others outlive it
};

}  // namespace idzone::rpc
