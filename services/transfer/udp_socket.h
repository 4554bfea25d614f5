// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/core/base/error.h"
#include "services/core/base/octets.h"

namespace idzone::transfer {

/// One address to talk to over UDP, with a connected socket: only what comes from there is received.
/// Errors: UNAVAILABLE. Threads: one.
class UdpPeer {
 public:
  /// `address` is IPv4 or IPv6 text.
  static Result<UdpPeer> Connect(const std::string& address, std::uint16_t port);
  UdpPeer(UdpPeer&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  UdpPeer& operator=(UdpPeer&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~UdpPeer();

  /// Sends a packet; what cannot be sent is lost, like any packet.
  void Send(OctetsView packet);
  /// Returns a packet that is there, or nothing.
  std::optional<Octets> Receive();

  int descriptor() const { return descriptor_; }

 private:
  explicit UdpPeer(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// Waits until one of them has a packet, or `patience` is over.
void WaitForPackets(const std::vector<UdpPeer>& peers, std::chrono::milliseconds patience);

}  // namespace idzone::transfer
