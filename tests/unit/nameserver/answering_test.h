// SPDX-License-Identifier: MIT
#pragma once

#include "services/nameserver/answer.h"
#include "tests/unit/nameserver/served_replica.h"

namespace idzone::nameserver {

inline constexpr auto kTlsa = Code(dns::RrType::kTlsa);
inline constexpr auto kRrsig = Code(dns::RrType::kRrsig);
inline constexpr auto kSoa = Code(dns::RrType::kSoa);
inline constexpr auto kNs = Code(dns::RrType::kNs);

/// One instance's answers from a ServedReplica at serial 7.
class AnsweringTest : public ::testing::Test {
 protected:
  explicit AnsweringTest(dns::DenialKind kind) : replica_(kind), snapshot_((replica_.Load(7), replica_.writer().environment())) {
    Renew();
    zone_ = *Must(FindServedZone(snapshot_, replica_.apex));
  }

  void Renew() {
    Must(snapshot_.Renew());
    answerer_.SetMoment(++moment_);
    answerer_.OpenQuery(now_);
  }
  std::vector<AnswerRecord> Ask(const dns::Name& name, std::uint16_t type, bool internal = false) {
    std::vector<AnswerRecord> records;
    Must(answerer_.FindRecords(snapshot_, zone_, {type, name.wire(), internal}, records));
    return records;
  }
  dns::Name Nsec3OwnerOf(const dns::Name& name) { return dns::Nsec3Owner(dns::Nsec3Hash(name), replica_.apex); }

  ServedReplica replica_;
  replica::Snapshot snapshot_;
  ServedZone zone_;
  std::uint64_t moment_ = 0;
  RrsigTime now_ = 0;     // long before anything expires
  std::size_t made_ = 0;  // contents
  Answerer answerer_{[this](std::uint16_t type, OctetsView rdata) {
    ++made_;
    return KeepRdata(type, rdata);
  }};
};

}  // namespace idzone::nameserver
