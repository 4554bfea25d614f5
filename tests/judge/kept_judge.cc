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
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using Main = int (*)(int, char**, char**);
using Digest = std::array<unsigned char, 32>;

constexpr int kAnswers = 3;
constexpr std::size_t kSlots = 1 << 17;  // 4 MiB; a cohort of histories has some 100,000 signatures alive
constexpr std::uint32_t kRequestMax = 1 << 16;

Main judge_main = nullptr;
Digest* known_good = nullptr;

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
  Fingerprint() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }
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

Digest& SlotOf(const Digest& signature) {
  std::uint32_t number = 0;
  std::memcpy(&number, signature.data(), sizeof number);
  return known_good[number % kSlots];
}

/// Runs `verify`, unless it has said `good` of the same before.
template <typename Verify>
int Once(const std::optional<Digest>& signature, int good, Verify verify) {
  if (!signature || known_good == nullptr) return verify();
  if (SlotOf(*signature) == *signature) return good;
  const int said = verify();
  if (said == good) SlotOf(*signature) = *signature;
  return said;
}

std::optional<Digest> FingerprintOf(EVP_PKEY* key, const void* octets, std::size_t octets_size, const void* signature,
                                    std::size_t signature_size) {
  std::array<unsigned char, 512> point{};
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, "pub", point.data(), point.size(), &size) != 1) return std::nullopt;
  Fingerprint fingerprint;
  const int algorithm = EVP_PKEY_get_base_id(key);
  fingerprint.Add(&algorithm, sizeof algorithm);
  fingerprint.Add(point.data(), size);
  fingerprint.Add(octets, octets_size);
  fingerprint.Add(signature, signature_size);
  return fingerprint.End();
}

/// What EVP_DigestVerifyInit and -Update were told, by context.
struct Told {
  EVP_PKEY* key = nullptr;
  std::string octets;
};
std::unordered_map<EVP_MD_CTX*, Told>& Contexts() {
  static std::unordered_map<EVP_MD_CTX*, Told> contexts;
  return contexts;
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

int Judge(std::vector<char>& request, char** environment) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
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
  void* shared = mmap(nullptr, kSlots * sizeof(Digest), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared != MAP_FAILED) known_good = static_cast<Digest*>(shared);
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

// BIND.

int EVP_DigestVerifyInit(EVP_MD_CTX* context, EVP_PKEY_CTX** key_context, const EVP_MD* type, ENGINE* engine, EVP_PKEY* key) {
  static const auto next = Next<decltype(&EVP_DigestVerifyInit)>("EVP_DigestVerifyInit");
  Contexts()[context] = {key, {}};
  return next(context, key_context, type, engine, key);
}

int EVP_DigestVerifyUpdate(EVP_MD_CTX* context, const void* octets, std::size_t size) {
  static const auto next = Next<decltype(&EVP_DigestVerifyUpdate)>("EVP_DigestVerifyUpdate");
  Contexts()[context].octets.append(static_cast<const char*>(octets), size);
  return next(context, octets, size);
}

int EVP_DigestVerifyFinal(EVP_MD_CTX* context, const unsigned char* signature, std::size_t size) {
  static const auto next = Next<decltype(&EVP_DigestVerifyFinal)>("EVP_DigestVerifyFinal");
  const Told told = std::move(Contexts()[context]);
  Contexts().erase(context);
  const auto fingerprint =
      told.key == nullptr ? std::nullopt : FingerprintOf(told.key, told.octets.data(), told.octets.size(), signature, size);
  return Once(fingerprint, 1, [&] { return next(context, signature, size); });
}

// BIND and ldns, Ed25519.

int EVP_DigestVerify(EVP_MD_CTX* context, const unsigned char* signature, std::size_t size, const unsigned char* octets,
                     std::size_t octets_size) {
  static const auto next = Next<decltype(&EVP_DigestVerify)>("EVP_DigestVerify");
  const auto found = Contexts().find(context);
  EVP_PKEY* key = found == Contexts().end() ? nullptr : found->second.key;
  if (found != Contexts().end()) Contexts().erase(found);
  const auto fingerprint = key == nullptr ? std::nullopt : FingerprintOf(key, octets, octets_size, signature, size);
  return Once(fingerprint, 1, [&] { return next(context, signature, size, octets, octets_size); });
}

// ldns, ECDSA: the octets were digested on the way.

int EVP_VerifyFinal(EVP_MD_CTX* context, const unsigned char* signature, unsigned int size, EVP_PKEY* key) {
  static const auto next = Next<decltype(&EVP_VerifyFinal)>("EVP_VerifyFinal");
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int digest_size = 0;
  EVP_MD_CTX* copy = EVP_MD_CTX_new();
  const bool digested = EVP_MD_CTX_copy_ex(copy, context) == 1 && EVP_DigestFinal_ex(copy, digest.data(), &digest_size) == 1;
  EVP_MD_CTX_free(copy);
  const auto fingerprint = digested ? FingerprintOf(key, digest.data(), digest_size, signature, size) : std::nullopt;
  return Once(fingerprint, 1, [&] { return next(context, signature, size, key); });
}

// Knot.

int gnutls_pubkey_verify_data2(void* key, int algorithm, unsigned int flags, const GnutlsDatum* octets, const GnutlsDatum* signature) {
  static const auto next = Next<decltype(&gnutls_pubkey_verify_data2)>("gnutls_pubkey_verify_data2");
  static const auto key_id = Next<int (*)(void*, unsigned int, unsigned char*, std::size_t*)>("gnutls_pubkey_get_key_id");
  Digest id{};
  std::size_t id_size = id.size();
  constexpr unsigned int kSha256OfKey = 1;  // GNUTLS_KEYID_USE_SHA256
  std::optional<Digest> fingerprint;
  if (key_id(key, kSha256OfKey, id.data(), &id_size) == 0) {
    Fingerprint parts;
    parts.Add(id.data(), id_size);
    parts.Add(&algorithm, sizeof algorithm);
    parts.Add(&flags, sizeof flags);
    parts.Add(octets->data, octets->size);
    parts.Add(signature->data, signature->size);
    fingerprint = parts.End();
  }
  // It says 0 or more of a good one.
  return Once(fingerprint, 0, [&] { return std::min(next(key, algorithm, flags, octets, signature), 0); });
}

}  // extern "C"
