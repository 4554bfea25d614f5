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

Result<void> SignJob(const ZoneSigning& zone, keys::Signer& signer, SigningJob& job, bool verify) {
  dns::RrsigFields fields;
  fields.type_covered = job.type;
  fields.algorithm = zone.key.algorithm();
  fields.labels = static_cast<std::uint8_t>(job.owner.rrsig_label_count());
  fields.original_ttl = job.ttl;
  fields.inception = ToRrsigTime(zone.now - zone.inception_offset);
  fields.expiration = ToRrsigTime(zone.now + job.life);
  fields.key_tag = zone.key.key_tag();
  fields.signer = zone.zone.wire();
  auto signature = signer.Sign(dns::EncodeSignedData(fields, job.owner.wire(), job.type, job.rdatas));
  if (!signature) return tl::unexpected(signature.error());
  job.rrsig = dns::EncodeRrsigPrefix(fields) + *signature;
  if (!verify) return {};
  return dns::CheckSignature(job.owner, job.type, job.ttl, job.rdatas, job.rrsig, zone.zone, zone.published_dnskeys, zone.now);
}

/// One batch while several threads work on it.
class Work {
 public:
  Work(std::span<const ZoneSigning> zones, std::span<SigningJob> jobs, std::size_t verify_every)
      : zones_(zones), jobs_(jobs), verify_every_(verify_every) {}

  void Run() {
    // Zones that follow each other mostly have one key.
    const keys::SigningKey* key = nullptr;
    std::optional<keys::Signer> signer;
    while (true) {
      const std::size_t begin = next_.fetch_add(kJobsTaken);
      if (begin >= jobs_.size()) return;
      for (std::size_t i = begin; i < std::min(begin + kJobsTaken, jobs_.size()); ++i) {
        const ZoneSigning& zone = zones_[jobs_[i].zone];
        if (key == nullptr || key->id() != zone.key.id()) {
          auto made = keys::Signer::Make(zone.key);
          if (!made) return Stop(made.error());
          signer.emplace(*std::move(made));
          key = &zone.key;
        }
        if (auto signed_job = SignJob(zone, *signer, jobs_[i], i % verify_every_ == 0); !signed_job) return Stop(signed_job.error());
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
