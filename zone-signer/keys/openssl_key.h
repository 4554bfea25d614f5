// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string_view>

#include "services/sealing/secret.h"
#include "zone-signer/keys/private_key.h"

namespace idzone::signer::keys {

/// A private key in this process's memory, as sealed files hold them. OpenSSL wipes it when it is given back.
class OpensslKey : public PrivateKey {
 public:
  /// Makes a new key. INTERNAL when OpenSSL fails. Requires: algorithm 13 or 15.
  static Result<std::shared_ptr<const OpensslKey>> Generate(std::uint8_t algorithm);
  /// Reads PKCS #8. KEY_FILE_INVALID for anything but a P-256 or an Ed25519 key.
  static Result<std::shared_ptr<const OpensslKey>> FromPkcs8(const sealing::Secret& pkcs8, std::string_view subject);
  ~OpensslKey() override;

  Result<sealing::Secret> ToPkcs8() const;
  std::uint8_t algorithm() const override;
  const Octets& public_key() const override;
  Result<std::unique_ptr<SigningContext>> MakeContext() const override;

  struct Parts;
  explicit OpensslKey(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

 private:
  std::shared_ptr<const Parts> parts_;
};

}  // namespace idzone::signer::keys
