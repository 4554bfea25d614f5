// SPDX-License-Identifier: MIT
#include "zone-signer/signing/batch_signer.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "services/core/dns/dnskey.h"
#include "services/core/dns/signature_check.h"

namespace idzone::signer::signing {
namespace {

/// Jobs that a thread takes at a time: enough that threads rarely meet, few enough that they end together.
constexpr std::size_t kJobsTaken = 16;
/// Jobs of a piece of which progress is told, at least: telling means statements, each of which has a price of its own.
constexpr std::size_t kJobsTold = 384;

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

/// One batch while several threads work on it. Jobs are taken in order, some at a time.
class Work {
 public:
  Work(std::span<const ZoneSigning> zones, std::span<SigningJob> jobs, std::size_t verify_every)
      : zones_(zones), jobs_(jobs), verify_every_(verify_every), shares_done_((jobs.size() + kJobsTaken - 1) / kJobsTaken, false) {}

  /// A thread's own signers. Zones that follow each other mostly have the same keys.
  struct Worker {
    const keys::ZoneKeys* keys = nullptr;
    std::vector<KeySigner> signers;
  };

  /// Signs until no job is left.
  void Run() {
    Worker worker;
    while (TakeShare(worker)) {
    }
  }

  /// Signs until the first `count` jobs are signed, by whomever, or something failed.
  void RunUntil(std::size_t count, Worker& worker) {
    while (!IsDone(count)) {
      if (TakeShare(worker)) continue;
      std::unique_lock lock(mutex_);
      share_ended_.wait(lock, [&] { return failure_ || signed_ >= count; });
    }
  }

  /// No job is begun any more.
  void Stop() { next_ = jobs_.size(); }

  Result<void> Outcome() const {
    const std::scoped_lock lock(mutex_);
    if (failure_) return tl::unexpected(*failure_);
    return {};
  }

 private:
  bool IsDone(std::size_t count) const {
    const std::scoped_lock lock(mutex_);
    return failure_ || signed_ >= count;
  }

  /// Signs the next few jobs; returns false when none are left.
  bool TakeShare(Worker& worker) {
    const std::size_t begin = next_.fetch_add(kJobsTaken);
    if (begin >= jobs_.size()) return false;
    const std::size_t end = std::min(begin + kJobsTaken, jobs_.size());
    Result<void> done;
    for (std::size_t i = begin; done && i < end; ++i) done = SignOne(worker, i);
    {
      const std::scoped_lock lock(mutex_);
      if (!done && !failure_) failure_ = done.error();
      shares_done_[begin / kJobsTaken] = done.has_value();
      for (; signed_ < jobs_.size() && shares_done_[signed_ / kJobsTaken];) signed_ = std::min(signed_ + kJobsTaken, jobs_.size());
    }
    share_ended_.notify_one();
    if (!done) Stop();
    return done.has_value();
  }

  Result<void> SignOne(Worker& worker, std::size_t index) {
    const ZoneSigning& zone = zones_[jobs_[index].zone];
    if (worker.keys != &zone.keys) {
      auto made = MakeSigners(zone.keys);
      if (!made) return tl::unexpected(made.error());
      std::vector<KeySigner>().swap(worker.signers);
      for (KeySigner& signer : *made) worker.signers.push_back(std::move(signer));
      worker.keys = &zone.keys;
    }
    return SignJob(zone, worker.signers, jobs_[index], index % verify_every_ == 0);
  }

  const std::span<const ZoneSigning> zones_;
  const std::span<SigningJob> jobs_;
  const std::size_t verify_every_;
  std::atomic<std::size_t> next_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable share_ended_;  // one thread waits at most
  std::vector<bool> shares_done_;
  std::size_t signed_ = 0;  // all before this one
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

Result<void> BatchSigner::Sign(std::span<const ZoneSigning> zones, std::span<SigningJob> jobs, const Progress& progress) const {
  Work work(zones, jobs, verify_every_);
  // A few signatures are made sooner than a thread starts.
  const std::size_t useful = std::min(static_cast<std::size_t>(threads_), 1 + jobs.size() / (2 * kJobsTaken));
  const std::size_t pieces = std::max<std::size_t>(1, jobs.size() / kJobsTold);
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < useful; ++i) helpers.emplace_back([&work] { work.Run(); });
  Work::Worker own;
  for (std::size_t piece = 1; piece <= pieces; ++piece) {
    const std::size_t count = jobs.size() * piece / pieces;
    work.RunUntil(count, own);
    if (auto outcome = work.Outcome(); !outcome) return outcome;
    if (auto goes_on = progress(count); !goes_on) {
      work.Stop();
      return goes_on;
    }
  }
  return {};
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
