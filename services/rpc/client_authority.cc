// SPDX-License-Identifier: MIT
#include "services/rpc/client_authority.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "services/core/base/deleter.h"

namespace idzone::rpc {
namespace {

using CertificatePointer = std::unique_ptr<X509, Deleter<X509_free>>;
using StorePointer = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using ContextPointer = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;
using BioPointer = std::unique_ptr<BIO, Deleter<BIO_free>>;

struct StackDeleter {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
using StackPointer = std::unique_ptr<STACK_OF(X509), StackDeleter>;

/// Real chains have two or three certificates; a longer one is an attack on the verifier.
constexpr std::size_t kChainMax = 8;
constexpr std::size_t kVerdictsMax = 4096;

/// Returns the PEM certificates in a text, at most kChainMax of them.
std::vector<CertificatePointer> ReadCertificates(OctetsView pem) {
  const BioPointer bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<CertificatePointer> certificates;
  while (certificates.size() < kChainMax) {
    CertificatePointer certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) break;
    certificates.push_back(std::move(certificate));
  }
  ERR_clear_error();
  return certificates;
}

UnixTime TimeOf(const ASN1_TIME* time, UnixTime otherwise) {
  std::tm broken_down{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &broken_down) != 1) return otherwise;
  return UnixTime(std::chrono::seconds(timegm(&broken_down)));
}

std::string FormatTime(UnixTime time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm broken_down{};
  gmtime_r(&seconds, &broken_down);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &broken_down);
  return text;
}

Octets FingerprintOf(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  IDZONE_INVARIANT(size > 0, "a parsed SubjectPublicKeyInfo can be encoded");
  const Octets spki(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return Sha256(spki);
}

Result<Octets> ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  Octets octets((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file && octets.empty()) return Fail(Reason::kKeyFileInvalid, path.string(), "a readable file of PEM certificates", "none");
  return octets;
}

Error Refusal(int code, X509* certificate, UnixTime now) {
  const std::string reason = X509_verify_cert_error_string(code);
  if (code == X509_V_ERR_CERT_HAS_EXPIRED || code == X509_V_ERR_CERT_NOT_YET_VALID) {
    const std::string from = FormatTime(TimeOf(X509_get0_notBefore(certificate), now));
    const std::string until = FormatTime(TimeOf(X509_get0_notAfter(certificate), now));
    return {Reason::kCertificateExpired, "client certificate", "one that is valid now", "one valid from " + from + " until " + until};
  }
  return {Reason::kCertificateUntrusted, "client certificate", "one issued by an authority of this server", reason};
}

}  // namespace

/// The authorities, in OpenSSL's form. Verification only reads it.
class ClientAuthority::Store {
 public:
  explicit Store(const std::vector<CertificatePointer>& authorities) : store_(X509_STORE_new()) {
    for (const auto& authority : authorities) X509_STORE_add_cert(store_.get(), authority.get());
    // An intermediate authority in the file is enough: its issuer need not be there.
    X509_STORE_set_flags(store_.get(), X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_set_purpose(store_.get(), X509_PURPOSE_SSL_CLIENT);
  }

  Result<Verdict> Verify(OctetsView leaf_pem, OctetsView chain_pem, UnixTime now) const {
    auto leaves = ReadCertificates(leaf_pem);
    if (leaves.empty()) return Fail(Reason::kCertificateUntrusted, "client certificate", "an X.509 certificate", "something else");
    X509* leaf = leaves.front().get();
    const StackPointer untrusted(sk_X509_new_null());
    for (auto& certificate : ReadCertificates(chain_pem)) sk_X509_push(untrusted.get(), certificate.release());
    const ContextPointer context(X509_STORE_CTX_new());
    X509_STORE_CTX_init(context.get(), store_.get(), leaf, untrusted.get());
    X509_STORE_CTX_set_time(context.get(), 0, now.time_since_epoch().count());
    const int verified = X509_verify_cert(context.get());
    ERR_clear_error();
    if (verified != 1) {
      X509* blamed = X509_STORE_CTX_get_current_cert(context.get());
      return tl::unexpected(Refusal(X509_STORE_CTX_get_error(context.get()), blamed == nullptr ? leaf : blamed, now));
    }
    Verdict verdict{FingerprintOf(leaf), UnixTime::min(), UnixTime::max()};
    const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context.get());
    for (int i = 0; i < sk_X509_num(chain); ++i) {
      const X509* certificate = sk_X509_value(chain, i);
      verdict.valid_from = std::max(verdict.valid_from, TimeOf(X509_get0_notBefore(certificate), now));
      verdict.valid_until = std::min(verdict.valid_until, TimeOf(X509_get0_notAfter(certificate), now));
    }
    return verdict;
  }

 private:
  const StorePointer store_;
};

ClientAuthority::ClientAuthority(std::filesystem::path file) : file_(std::move(file)) {}
ClientAuthority::~ClientAuthority() = default;

Result<std::unique_ptr<ClientAuthority>> ClientAuthority::Open(const std::filesystem::path& file, UnixTime now) {
  std::unique_ptr<ClientAuthority> authority(new ClientAuthority(file));
  if (auto loaded = authority->Reload(now); !loaded) return tl::unexpected(loaded.error());
  return authority;
}

Result<void> ClientAuthority::Reload(UnixTime now) {
  looked_at_ = now;
  std::error_code code;
  const auto written = std::filesystem::last_write_time(file_, code);
  if (store_ != nullptr && (code || written == written_)) return {};
  auto octets = ReadFile(file_);
  if (!octets) return tl::unexpected(octets.error());
  const auto authorities = ReadCertificates(*octets);
  if (authorities.empty()) return Fail(Reason::kKeyFileInvalid, file_.string(), "PEM certificates of client authorities", "none");
  store_ = std::make_shared<const Store>(authorities);
  written_ = written;
  verdicts_.clear();
  return {};
}

Result<Octets> ClientAuthority::Judge(OctetsView leaf, OctetsView chain, UnixTime now) {
  if (leaf.empty())
    return Fail(Reason::kCertificateMissing, "client certificate", "a certificate from an authority of this server", "none");
  const Octets digest = Sha256(Octets(leaf) + Octets(chain));
  std::shared_ptr<const Store> store;
  {
    const std::scoped_lock lock(mutex_);
    // A file that became unreadable is the operator's mistake; the authorities that were read stay in force.
    if (now != looked_at_) static_cast<void>(Reload(now));
    const auto found = verdicts_.find(digest);
    if (found != verdicts_.end() && now >= found->second.valid_from && now <= found->second.valid_until) return found->second.fingerprint;
    store = store_;
  }
  auto verdict = store->Verify(leaf, chain, now);
  if (!verdict) return tl::unexpected(verdict.error());
  const std::scoped_lock lock(mutex_);
  if (store == store_) {
    if (verdicts_.size() >= kVerdictsMax) verdicts_.clear();
    verdicts_[digest] = *verdict;
  }
  return verdict->fingerprint;
}

}  // namespace idzone::rpc
