// SPDX-License-Identifier: MIT
#include "services/sealing/secret.h"

#include <openssl/rand.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace idzone::sealing {

Result<Secret> MakeRandomSecret(std::size_t size) {
  Secret secret(size);
  if (RAND_bytes(secret.data(), static_cast<int>(size)) != 1)
    return Fail(Reason::kInternal, "secret", "random octets", "a failure of OpenSSL");
  return secret;
}

Result<void> ForbidCoreDumps() {
  const rlimit none{0, 0};
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
    return Fail(Reason::kKeyFileInvalid, "process", "a kernel that forbids core dumps", "a refusal");
  return {};
}

}  // namespace idzone::sealing
