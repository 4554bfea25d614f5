// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "services/core/base/clock.h"
#include "services/core/base/octets.h"

/// Judges client certificates: TLS has proved that the peer has the key, whether we trust the certificate is decided
/// here, so that an expired or foreign one gets a typed refusal and not a broken handshake.
namespace idzone::rpc {

class ClientAuthority {
 public:
  /// `file`: PEM certificates of the authorities; read again when the file changes (looked at once a second).
  /// KEY_FILE_INVALID when it cannot be read now. Later, a file that cannot be read leaves the old ones in force.
  static Result<std::unique_ptr<ClientAuthority>> Open(const std::filesystem::path& file, UnixTime now);
  ~ClientAuthority();

  /// Returns the fingerprint of the key, SHA-256 of the SPKI, when the certificate chains to an authority and is valid
  /// at `now`. `leaf` and `chain` are PEM, as the peer sent them.
  /// CERTIFICATE_MISSING, CERTIFICATE_EXPIRED (or not yet valid), CERTIFICATE_UNTRUSTED.
  /// Verdicts are remembered until the first certificate of the chain expires. Threads: any.
  Result<Octets> Judge(OctetsView leaf, OctetsView chain, UnixTime now);

 private:
  struct Verdict {
    Octets fingerprint;
    UnixTime valid_from;
    UnixTime valid_until;
  };
  class Store;

  explicit ClientAuthority(std::filesystem::path file);
  Result<void> Reload(UnixTime now);

  const std::filesystem::path file_;
  std::mutex mutex_;
  std::shared_ptr<const Store> store_;
  std::filesystem::file_time_type written_;
  UnixTime looked_at_{};
  std::map<Octets, Verdict> verdicts_;
};

}  // namespace idzone::rpc
