// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/crypto.h>

#include <memory>
#include <utility>

#include "services/core/base/octets.h"

namespace idzone::sealing {

/// Octets that are overwritten before their memory is given back. Never copied, never logged.
/// Limits: the kernel may still page them out; the process locks nothing, so run it without swap or with encrypted swap.
class Secret {
 public:
  explicit Secret(std::size_t size) : octets_(std::make_unique<unsigned char[]>(size)), size_(size) {}
  ~Secret() {
    if (octets_ != nullptr) OPENSSL_cleanse(octets_.get(), size_);
  }
  Secret(Secret&& other) noexcept : octets_(std::move(other.octets_)), size_(std::exchange(other.size_, 0)) {}
  Secret& operator=(Secret&& other) noexcept {
    std::swap(octets_, other.octets_);
    std::swap(size_, other.size_);
    return *this;
  }

  unsigned char* data() { return octets_.get(); }
  const unsigned char* data() const { return octets_.get(); }
  std::size_t size() const { return size_; }
  OctetsView view() const { return OctetsView(reinterpret_cast<const char*>(octets_.get()), size_); }

 private:
  // Not a std::string, whose short form would leave copies behind when it is moved.
  std::unique_ptr<unsigned char[]> octets_;
  std::size_t size_;
};

/// Returns octets that nobody can guess. INTERNAL when OpenSSL fails.
Result<Secret> MakeRandomSecret(std::size_t size);

/// Forbids core dumps and foreign debuggers for this process: its memory holds private keys.
/// KEY_FILE_INVALID when the kernel refuses.
Result<void> ForbidCoreDumps();

}  // namespace idzone::sealing
