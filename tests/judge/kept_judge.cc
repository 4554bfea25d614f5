// SPDX-License-Identifier: MIT
// Loaded before one of the gate's judges (LD_PRELOAD): the judge is started once and judges many zones.
//
// The program is loaded, its libraries too, and stops before its main(). Then, for each request on file 0, it forks, and the child runs
// main() with the request's arguments, as if it had been started with them: nothing of a zone is left for the next one. What is left is the
// memory that both share: of signatures that this judge's own library has found good, by SHA-256 of key, octets and signature. Versions
// of a zone have nearly all of their signatures in common; a good one does not become bad, whatever else is wrong with a zone. Bad ones are
// not remembered. Everything else (chains, bitmaps, times, which key signs what) the judge does anew for each zone.
//
// Request: "OUTPUT\0ARGUMENT\0…ARGUMENT\0" behind its length as four octets, host order; OUTPUT is the file that gets what is printed.
// Answer on file 3: the exit code as four octets, 128 + n when a signal ended it. tests/judge/kept.py is the other end.
// Errors: whatever goes wrong here ends the process (the caller meets the end of file), or the signature is verified as ever.
#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// ldns redefines bool unless it is told that C has one.
#include <stdbool.h>

#include <ldns/ldns.h>

namespace {

using Main = int (*)(int, char**, char**);
using Digest = std::array<unsigned char, 32>;

constexpr int kAnswers = 3;
// Signatures of one key lie together, so that a zone touches few pages of the memory: 64 groups of 256 KiB. Each has eight slots that it
// may lie in: with a single one, a zone of 500 signatures has 15 pairs that drive one another out, and verifies thirty each time.
constexpr std::size_t kGroups = 64, kBucketsOfGroup = 1 << 10, kSlotsOfBucket = 8;
constexpr std::uint32_t kRequestMax = 1 << 16;

using Bucket = std::array<Digest, kSlotsOfBucket>;

Main judge_main = nullptr;
Bucket* known_good = nullptr;
const EVP_MD* sha256 = nullptr;

template <typename Function>
Function Next(const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  if (found == nullptr) _exit(125);
  return reinterpret_cast<Function>(found);
}

// ----------- Signatures that were good

/// SHA-256 over parts, each behind its length.
class Fingerprint {
 public:
  Fingerprint() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, sha256, nullptr); }
  ~Fingerprint() { EVP_MD_CTX_free(context_); }
  Fingerprint(const Fingerprint&) = delete;
  Fingerprint& operator=(const Fingerprint&) = delete;

  void Add(const void* octets, std::size_t size) {
    const std::uint64_t length = size;
    EVP_DigestUpdate(context_, &length, sizeof length);
    EVP_DigestUpdate(context_, octets, size);
  }
  Digest End() {
    Digest digest{};
    EVP_DigestFinal_ex(context_, digest.data(), nullptr);
    return digest;
  }

 private:
  EVP_MD_CTX* context_;
};

/// A signature, and where it is remembered.
struct Signature {
  Digest digest;
  Bucket* bucket;

  bool IsKnown() const { return std::find(bucket->begin(), bucket->end(), digest) != bucket->end(); }
  void Remember() const {
    const auto empty = std::find(bucket->begin(), bucket->end(), Digest{});
    *(empty != bucket->end() ? empty : bucket->begin() + digest.back() % kSlotsOfBucket) = digest;
  }
};

/// `key` is any form of the public key that this judge always uses.
Signature SignatureOf(int algorithm, std::string_view key, std::string_view octets, std::string_view signature) {
  Fingerprint fingerprint;
  fingerprint.Add(&algorithm, sizeof algorithm);
  for (const std::string_view part : {key, octets, signature}) fingerprint.Add(part.data(), part.size());
  const Digest digest = fingerprint.End();
  std::uint32_t number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  const std::size_t group = std::hash<std::string_view>{}(key) % kGroups;
  return {digest, known_good + group * kBucketsOfGroup + number % kBucketsOfGroup};
}

/// Runs `verify`, unless it has said `good` of the same before.
template <typename Verify>
int Once(const std::optional<Signature>& signature, int good, Verify verify) {
  if (!signature) return verify();
  if (signature->IsKnown()) return good;
  const int said = verify();
  if (said == good) signature->Remember();
  return said;
}

std::string_view Octets(const void* at, std::size_t size) {
  return {static_cast<const char*>(at), size};
}

std::optional<Signature> SignatureBy(EVP_PKEY* key, std::string_view octets, std::string_view signature) {
  std::array<unsigned char, 512> point{};
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, "pub", point.data(), point.size(), &size) != 1) return std::nullopt;
  return SignatureOf(EVP_PKEY_get_base_id(key), Octets(point.data(), size), octets, signature);
}

/// What EVP_DigestVerifyInit and -Update were told, by context; OpenSSL is told only when the signature is not known.
struct Told {
  const EVP_MD* type = nullptr;
  EVP_PKEY* key = nullptr;
  std::string octets;
};
std::unordered_map<EVP_MD_CTX*, Told>& Contexts() {
  thread_local std::unordered_map<EVP_MD_CTX*, Told> contexts;
  return contexts;
}
auto RealInit() {
  static const auto next = Next<decltype(&EVP_DigestVerifyInit)>("EVP_DigestVerifyInit");
  return next;
}

// ----------- One zone after the other

bool ReadAll(int file, void* to, std::size_t size) {
  for (auto* at = static_cast<char*>(to); size > 0;) {
    const ssize_t got = read(file, at, size);
    if (got <= 0) return false;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

/// What every judge does first, done once.
void Prepare() {
  constexpr std::uint64_t kAll =
      OPENSSL_INIT_ADD_ALL_CIPHERS | OPENSSL_INIT_ADD_ALL_DIGESTS | OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS;
  sha256 = OPENSSL_init_crypto(kAll, nullptr) == 1 ? EVP_MD_fetch(nullptr, "SHA256", nullptr) : nullptr;
  if (sha256 == nullptr) _exit(125);
}

/// Ends the judge that ended, and spares it the tidying up: what it has printed is written, and its memory goes with it.
void EndAtOnce(int status, void*) {
  std::fflush(nullptr);
  _exit(status);
}

int Judge(std::vector<char>& request, char** environment) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  on_exit(EndAtOnce, nullptr);
  std::vector<char*> arguments;
  for (char* at = request.data(); at < request.data() + request.size(); at += std::strlen(at) + 1) arguments.push_back(at);
  const int output = open(arguments.at(0), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (output < 0 || nothing < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 || dup2(nothing, 0) < 0) _exit(126);
  close(kAnswers);
  arguments.push_back(nullptr);
  return judge_main(static_cast<int>(arguments.size()) - 2, arguments.data() + 1, environment);
}

int Serve(int, char**, char** environment) {
  void* shared = mmap(nullptr, kGroups * kBucketsOfGroup * sizeof(Bucket), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 125;
  known_good = static_cast<Bucket*>(shared);
  Prepare();
  for (;;) {
    std::uint32_t size = 0;
    if (!ReadAll(0, &size, sizeof size)) return 0;
    if (size == 0 || size > kRequestMax) return 125;
    std::vector<char> request(size);
    if (!ReadAll(0, request.data(), size) || request.back() != '\0') return 125;
    const pid_t child = fork();
    if (child < 0) return 125;
    if (child == 0) return Judge(request, environment);
    int status = 0;
    if (waitpid(child, &status, 0) != child) return 125;
    const std::int32_t code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (write(kAnswers, &code, sizeof code) != sizeof code) return 125;
  }
}

struct GnutlsDatum {
  unsigned char* data;
  unsigned int size;
};

}  // namespace

extern "C" {

int __libc_start_main(Main main, int argc, char** argv, void (*init)(), void (*fini)(), void (*rtld_fini)(), void* stack_end) {
  judge_main = main;
  return Next<int (*)(Main, int, char**, void (*)(), void (*)(), void (*)(), void*)>("__libc_start_main")(Serve, argc, argv, init, fini,
                                                                                                          rtld_fini, stack_end);
}

// BIND. It asks for no context of the key.

int EVP_DigestVerifyInit(EVP_MD_CTX* context, EVP_PKEY_CTX** key_context, const EVP_MD* type, ENGINE* engine, EVP_PKEY* key) {
  Contexts().erase(context);
  if (key_context != nullptr || engine != nullptr) return RealInit()(context, key_context, type, engine, key);
  Contexts()[context] = {type, key, {}};
  return 1;
}

int EVP_DigestVerifyUpdate(EVP_MD_CTX* context, const void* octets, std::size_t size) {
  static const auto next = Next<decltype(&EVP_DigestVerifyUpdate)>("EVP_DigestVerifyUpdate");
  const auto told = Contexts().find(context);
  if (told == Contexts().end()) return next(context, octets, size);
  told->second.octets.append(Octets(octets, size));
  return 1;
}

int EVP_DigestVerifyFinal(EVP_MD_CTX* context, const unsigned char* signature, std::size_t size) {
  static const auto next = Next<decltype(&EVP_DigestVerifyFinal)>("EVP_DigestVerifyFinal");
  const auto told = Contexts().extract(context);
  if (told.empty()) return next(context, signature, size);
  const auto& [type, key, octets] = told.mapped();
  return Once(SignatureBy(key, octets, Octets(signature, size)), 1, [&, type = type, key = key] {
    return RealInit()(context, nullptr, type, nullptr, key) == 1 && EVP_DigestVerifyUpdate(context, octets.data(), octets.size()) == 1
               ? next(context, signature, size)
               : -1;
  });
}

/// Ed25519.
int EVP_DigestVerify(EVP_MD_CTX* context, const unsigned char* signature, std::size_t size, const unsigned char* octets,
                     std::size_t octets_size) {
  static const auto next = Next<decltype(&EVP_DigestVerify)>("EVP_DigestVerify");
  const auto told = Contexts().extract(context);
  if (told.empty()) return next(context, signature, size, octets, octets_size);
  const auto& [type, key, nothing] = told.mapped();
  return Once(SignatureBy(key, Octets(octets, octets_size), Octets(signature, size)), 1, [&, type = type, key = key] {
    return RealInit()(context, nullptr, type, nullptr, key) == 1 ? next(context, signature, size, octets, octets_size) : -1;
  });
}

// ldns: here keys are still octets. Decoding one with OpenSSL costs more than all else that is done for a known signature.

ldns_status ldns_verify_rrsig_buffers_raw(unsigned char* signature, std::size_t size, ldns_buffer* octets, unsigned char* key,
                                          std::size_t key_size, std::uint8_t algorithm) {
  static const auto next = Next<decltype(&ldns_verify_rrsig_buffers_raw)>("ldns_verify_rrsig_buffers_raw");
  const auto known = SignatureOf(algorithm, Octets(key, key_size), Octets(ldns_buffer_begin(octets), ldns_buffer_position(octets)),
                                 Octets(signature, size));
  return static_cast<ldns_status>(
      Once(known, LDNS_STATUS_OK, [&] { return static_cast<int>(next(signature, size, octets, key, key_size, algorithm)); }));
}

// Knot. The key's SHA-256, which GnuTLS could say too, would cost more than all else that is done for a known signature.

int gnutls_pubkey_verify_data2(void* key, int algorithm, unsigned int flags, const GnutlsDatum* octets, const GnutlsDatum* signature) {
  static const auto next = Next<decltype(&gnutls_pubkey_verify_data2)>("gnutls_pubkey_verify_data2");
  static const auto export_point = Next<int (*)(void*, int*, GnutlsDatum*, GnutlsDatum*, unsigned int)>("gnutls_pubkey_export_ecc_raw2");
  int curve = 0;
  GnutlsDatum x{}, y{};  // Ed25519 has no y
  std::optional<Signature> known;
  if (flags == 0 && export_point(key, &curve, &x, &y, 0) == 0) {
    std::string point(Octets(x.data, x.size));
    point.append(Octets(y.data, y.size)).append(std::to_string(curve));
    known = SignatureOf(algorithm, point, Octets(octets->data, octets->size), Octets(signature->data, signature->size));
    std::free(x.data);
    std::free(y.data);
  }
  // It says 0 or more of a good one.
  return Once(known, 0, [&] { return std::min(next(key, algorithm, flags, octets, signature), 0); });
}

}  // extern "C"
