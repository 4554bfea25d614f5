// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every limit that is not a configuration value, each with its reason. Nothing in idzone grows without one.
namespace idzone::limits {

// DNS (RFC 1035 §2.3.4).
inline constexpr std::size_t kLabelOctetsMax = 63;
inline constexpr std::size_t kNameOctetsMax = 255;
/// An NSEC3 owner is a 32-character label (33 octets) above the zone: 255 - 33 (RFC 5155 §3).
inline constexpr std::size_t kZoneNameOctetsMax = 222;
/// Presentation form with every octet escaped as \DDD; longer text cannot be a name.
inline constexpr std::size_t kNameTextMax = 1024;

// Ids. A private label has one length whatever it hides; 200 octets hold every serial number and user name there is.
inline constexpr std::size_t kOpaqueIdOctetsMax = 200;
/// RFC 5321 §4.5.3.1.1.
inline constexpr std::size_t kLocalPartOctetsMax = 64;
/// One label a digit: 64 of them are 128 octets of an owner name.
inline constexpr std::size_t kEnumDigitsMax = 64;

// Key material. The largest sane certificate chain element (RSA-8192 with many SANs) stays below 16 KiB.
inline constexpr std::size_t kMaterialOctetsMax = 16 * 1024;
inline constexpr int kRsaBitsMin = 2048;
/// RSA verification costs grow with the square of the modulus: a 16k key is a denial of service, not a device.
inline constexpr int kRsaBitsMax = 8192;

// Records. Two records are a key rollover; eight leave room and keep answers below 1232 octets.
inline constexpr std::size_t kRdatasPerRrSetMax = 8;
/// RFC 7671 §10.1: full certificates do not fit UDP; 4 KiB still fits one TCP answer with its signatures.
inline constexpr std::size_t kRdataOctetsMax = 4096;
inline constexpr std::size_t kRrSetsPerNodeMax = 16;
inline constexpr std::size_t kRrsigsPerRrSetMax = 4;

// Service. One item is at most a certificate and an id; 64 KiB leaves room and bounds the parser.
inline constexpr int kRequestOctetsMax = 64 * 1024;
inline constexpr int kFeedMessageOctetsMax = 4 * 1024 * 1024;
/// Zones in one message of a follower: with the longest names 2.7 MiB.
inline constexpr int kFeedPositionsMax = 10'000;
/// Zones that a follower may hold: 244 of the widest trees, and, by estimate, some 300 MiB of a session's memory.
inline constexpr int kFeedZonesMax = 1'000'000;
inline constexpr std::uint32_t kPageSizeDefault = 100;
inline constexpr std::uint32_t kPageSizeMax = 1000;
inline constexpr std::size_t kNameServersMax = 13;
inline constexpr std::size_t kOperatorIdMax = 63;
inline constexpr std::size_t kDisplayNameMax = 200;

// Zone transfers. A transfer host pushes to each of its secondaries; more than that many want one of their own in between.
inline constexpr std::size_t kSecondariesMax = 64;
/// A catalog is read whole: 100,000 names of 255 octets are 26 MB.
inline constexpr std::size_t kCatalogZonesMax = 100'000;
inline constexpr std::size_t kSecondariesFileOctetsMax = 64 * 1024;
/// RFC 8945 §8: as long as the digest or longer; 16 octets are what is still believed, 128 one block of SHA-512.
inline constexpr std::size_t kTsigSecretOctetsMin = 16;
inline constexpr std::size_t kTsigSecretOctetsMax = 128;
/// Cuts by command. A tree of width 3 has as many; each zone costs a few signatures a day and a row that is looked at.
inline constexpr int kCutsPerNamespaceMax = 4096;

// Publishing. Batches are where the speed comes from, and what bounds memory.
inline constexpr std::size_t kEnrollBatchMax = 256;
inline constexpr std::size_t kEnrollQueueMax = 8192;

}  // namespace idzone::limits
