// SPDX-License-Identifier: MIT
#include "zone-signer/signing/batch_signer.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "services/core/dns/dnskey.h"
#include "services/core/dns/signature_check.h"

namespace idzone::signer::signing {
namespace {

/// Jobs that a thread takes at a time: enough that threads rarely meet, few enough that they end together.
constexpr std::size_t kJobsTaken = 16;

/// A key with a context to sign by it.
struct KeySigner {
  const keys::ZoneKey& key;
  keys::Signer signer;
  bool verified = false;  // by one signature of this thread
};

/// Returns a signer for each key that signs anything.
Result<std::vector<KeySigner>> MakeSigners(const keys::ZoneKeys& keys) {
  std::vector<KeySigner> signers;
  for (const keys::ZoneKey& key : keys.all()) {
    if (!key.uses.signs_keys && !key.uses.signs_data) continue;
    auto signer = keys::Signer::Make(key.key);
    if (!signer) return tl::unexpected(signer.error());
    signers.push_back({key, *std::move(signer), false});
  }
  return signers;
}

Result<void> SignWith(const ZoneSigning& zone, KeySigner& by, SigningJob& job, bool verify) {
  dns::RrsigFields fields;
  fields.type_covered = job.type;
  fields.algorithm = by.key.key.algorithm();
  fields.labels = static_cast<std::uint8_t>(job.owner.rrsig_label_count());
  fields.original_ttl = job.ttl;
  fields.inception = ToRrsigTime(zone.now - zone.inception_offset);
  fields.expiration = ToRrsigTime(zone.now + job.life);
  fields.key_tag = by.key.key_tag;
  fields.signer = zone.zone.wire();
  auto signature = by.signer.Sign(dns::EncodeSignedData(fields, job.owner.wire(), job.type, job.rdatas));
  if (!signature) return tl::unexpected(signature.error());
  job.rrsigs.push_back(dns::EncodeRrsigPrefix(fields) + *signature);
  if (!verify && by.verified) return {};
  by.verified = true;
  return dns::CheckSignature(job.owner, job.type, job.ttl, job.rdatas, job.rrsigs.back(), zone.zone, zone.dnskeys, zone.now);
}

/// Nobody believes a record without a signature: a type that no key signs must not be published.
Result<void> SignJob(const ZoneSigning& zone, std::span<KeySigner> signers, SigningJob& job, bool verify) {
  job.rrsigs.clear();
  for (KeySigner& by : signers) {
    if (!keys::ZoneKeys::Signs(by.key, job.type)) continue;
    if (auto made = SignWith(zone, by, job, verify); !made) return made;
  }
  IDZONE_INVARIANT(!job.rrsigs.empty(), "some key signs every type");
  return {};
}

/// One batch while several threads work on it.
class Work {
 public:
  Work(std::span<const ZoneSigning> zones, std::span<SigningJob> jobs, std::size_t verify_every)
      : zones_(zones), jobs_(jobs), verify_every_(verify_every) {}

  void Run() {
    // Zones that follow each other mostly have the same keys.
    const keys::ZoneKeys* keys = nullptr;
    std::vector<KeySigner> signers;
    while (true) {
      const std::size_t begin = next_.fetch_add(kJobsTaken);
      if (begin >= jobs_.size()) return;
      for (std::size_t i = begin; i < std::min(begin + kJobsTaken, jobs_.size()); ++i) {
        const ZoneSigning& zone = zones_[jobs_[i].zone];
        if (keys != &zone.keys) {
          auto made = MakeSigners(zone.keys);
          if (!made) return Stop(made.error());
          std::vector<KeySigner>().swap(signers);
          for (KeySigner& signer : *made) signers.push_back(std::move(signer));
          keys = &zone.keys;
        }
        if (auto signed_job = SignJob(zone, signers, jobs_[i], i % verify_every_ == 0); !signed_job) return Stop(signed_job.error());
      }
    }
  }

  Result<void> Outcome() const {
    if (failure_) return tl::unexpected(*failure_);
    return {};
  }

 private:
  void Stop(const Error& error) {
    next_ = jobs_.size();
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = error;
  }

  const std::span<const ZoneSigning> zones_;
  const std::span<SigningJob> jobs_;
  const std::size_t verify_every_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::optional<Error> failure_;
};

/// RFC 4034 §3.1.5: times are compared with serial number arithmetic.
std::chrono::seconds Distance(std::uint32_t from, std::uint32_t to) {
  return std::chrono::seconds(static_cast<std::int32_t>(to - from));
}

}  // namespace

BatchSigner::BatchSigner(int threads, int verify_every) : threads_(threads), verify_every_(static_cast<std::size_t>(verify_every)) {
  IDZONE_INVARIANT(threads >= 1 && verify_every >= 1, "a batch signer has at least one thread and verifies something");
}

Result<void> BatchSigner::Sign(std::span<const ZoneSigning> zones, std::span<SigningJob> jobs) const {
  Work work(zones, jobs, verify_every_);
  // A few signatures are made sooner than a thread starts.
  const std::size_t useful = std::min(static_cast<std::size_t>(threads_), 1 + jobs.size() / (2 * kJobsTaken));
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < useful; ++i) helpers.emplace_back([&work] { work.Run(); });
  work.Run();
  helpers.clear();
  return work.Outcome();
}

Result<std::chrono::seconds> SignatureAge(OctetsView rrsig, UnixTime now, std::chrono::seconds inception_offset) {
  const auto fields = dns::ParseRrsig(rrsig);
  if (!fields) return tl::unexpected(fields.error());
  return Distance(fields->inception, ToRrsigTime(now)) - inception_offset;
}

Result<std::chrono::seconds> SignatureRest(OctetsView rrsig, UnixTime now) {
  const auto fields = dns::ParseRrsig(rrsig);
  if (!fields) return tl::unexpected(fields.error());
  return Distance(ToRrsigTime(now), fields->expiration);
}

}  // namespace idzone::signer::signing
