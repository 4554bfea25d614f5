// SPDX-License-Identifier: MIT
// How many P-256 signatures one core makes when nothing else is to be done: sign, and now and then verify, in a bare loop.
// What benchmarks measure signing in earnest against.
// Usage: raw_mix SECONDS SIGNATURES_PER_VERIFICATION
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSignaturesBetweenLooks = 256;  // at the clock

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "raw_mix: %s\n", what);
  std::exit(1);
}

/// One key, one context to sign and one to verify with: what a caller who minds the cost keeps.
struct Key {
  EVP_PKEY* pkey = EVP_EC_gen("P-256");
  EVP_PKEY_CTX* signing = EVP_PKEY_CTX_new(pkey, nullptr);
  EVP_PKEY_CTX* verifying = EVP_PKEY_CTX_new(pkey, nullptr);

  Key() {
    if (pkey == nullptr || signing == nullptr || verifying == nullptr || EVP_PKEY_sign_init(signing) != 1 ||
        EVP_PKEY_verify_init(verifying) != 1)
      Fail("no key");
  }
  ~Key() {
    EVP_PKEY_CTX_free(signing);
    EVP_PKEY_CTX_free(verifying);
    EVP_PKEY_free(pkey);
  }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) Fail("usage: raw_mix SECONDS SIGNATURES_PER_VERIFICATION");
  const double seconds = std::atof(argv[1]);
  const double verification_share = 1 / std::atof(argv[2]);
  Key key;
  unsigned char digest[32] = {};
  unsigned char signature[80];
  double owed = 0;
  long signatures = 0;
  const auto begin = Clock::now();
  const auto taken = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  do {
    for (int i = 0; i < kSignaturesBetweenLooks; ++i) {
      std::memcpy(digest, &++signatures, sizeof signatures);
      std::size_t size = sizeof signature;
      if (EVP_PKEY_sign(key.signing, signature, &size, digest, sizeof digest) != 1) Fail("no signature");
      for (owed += verification_share; owed >= 1; owed -= 1) {
        if (EVP_PKEY_verify(key.verifying, signature, size, digest, sizeof digest) != 1) Fail("a wrong signature");
      }
    }
  } while (taken() < seconds);
  std::printf("%.1f\n", static_cast<double>(signatures) / taken());
  return 0;
}
