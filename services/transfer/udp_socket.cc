// SPDX-License-Identifier: MIT
#include "services/transfer/udp_socket.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace idzone::transfer {
namespace {

constexpr std::size_t kPacketOctetsMax = 4096;

}  // namespace

Result<UdpPeer> UdpPeer::Connect(const std::string& address, std::uint16_t port) {
  sockaddr_in6 six{};
  sockaddr_in four{};
  const bool is_six = inet_pton(AF_INET6, address.c_str(), &six.sin6_addr) == 1;
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  if (!is_six && inet_pton(AF_INET, address.c_str(), &four.sin_addr) != 1)
    return Fail(Reason::kValueMalformed, "address of a secondary", "IPv4 or IPv6", address);
  UdpPeer peer(socket(is_six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* target = is_six ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
  if (peer.descriptor_ < 0 || connect(peer.descriptor_, target, is_six ? sizeof six : sizeof four) != 0)
    return Fail(Reason::kUnavailable, "socket to " + address, "one that can be made", std::strerror(errno));
  return peer;
}

UdpPeer::~UdpPeer() {
  if (descriptor_ >= 0) close(descriptor_);
}

void UdpPeer::Send(OctetsView packet) {
  // After an ICMP error the first send only reports it.
  if (send(descriptor_, packet.data(), packet.size(), MSG_NOSIGNAL) < 0) send(descriptor_, packet.data(), packet.size(), MSG_NOSIGNAL);
}

std::optional<Octets> UdpPeer::Receive() {
  std::array<char, kPacketOctetsMax> buffer{};
  const ssize_t size = recv(descriptor_, buffer.data(), buffer.size(), 0);
  if (size < 0) return std::nullopt;
  return Octets(buffer.data(), static_cast<std::size_t>(size));
}

void WaitForPackets(const std::vector<UdpPeer>& peers, std::chrono::milliseconds patience) {
  std::vector<pollfd> waiting;
  waiting.reserve(peers.size());
  for (const UdpPeer& peer : peers) waiting.push_back({peer.descriptor(), POLLIN, 0});
  poll(waiting.data(), waiting.size(), static_cast<int>(patience.count()));
}

}  // namespace idzone::transfer
