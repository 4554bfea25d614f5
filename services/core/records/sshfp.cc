// SPDX-License-Identifier: MIT
#include "services/core/records/sshfp.h"

namespace idzone::records {
namespace {

constexpr std::uint8_t kSha256 = 2;  // RFC 6594 §3.2
constexpr std::size_t kSha256Octets = 32;

bool IsAlgorithm(std::uint8_t algorithm) {
  return algorithm == 1 || algorithm == 3 || algorithm == 4 || algorithm == 6;
}

}  // namespace

Result<Octets> MakeSshfp(const identity::KeyMaterial& key) {
  if (key.ssh_blob().empty()) return Fail(Reason::kMaterialWrongKind, "material", "an OpenSSH public key", "a key of another kind");
  Octets rdata;
  OctetWriter writer(rdata);
  writer.U8(key.sshfp_algorithm());
  writer.U8(kSha256);
  writer.Raw(Sha256(key.ssh_blob()));
  return rdata;
}

Result<void> CheckSshfp(OctetsView rdata) {
  const auto refuse = [](std::string expected, std::string met) -> Result<void> {
    return Fail(Reason::kRecordMalformed, "SSHFP", std::move(expected), std::move(met));
  };
  OctetReader reader(rdata);
  const std::uint8_t algorithm = reader.U8();
  const std::uint8_t type = reader.U8();
  if (!reader.ok()) return refuse("algorithm, type and fingerprint", std::to_string(rdata.size()) + " octets");
  if (!IsAlgorithm(algorithm)) return refuse("algorithm 1, 3, 4 or 6", std::to_string(algorithm));
  if (type != kSha256) return refuse("fingerprint type 2", std::to_string(type));
  if (reader.remaining() != kSha256Octets) return refuse("32 octets of SHA-256", std::to_string(reader.remaining()));
  return {};
}

}  // namespace idzone::records
