// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "zone-signer/keys/signing_key.h"

/// New keys whose tag another key of the namespace has are thrown away before anybody sees them: tags are hints that validators trust.
namespace idzone::signer::keys {

/// With a hundred keys behind it, a namespace meets a taken tag once in 600 keys; many in a row are a broken generator.
inline constexpr int kTagTriesMax = 16;

/// What a generator returns for a key that it threw away for its tag.
inline tl::unexpected<Error> TagIsTaken() {
  return Fail(Reason::kLimitExceeded, "signing key", "a key tag that no other key of the namespace has",
              std::to_string(kTagTriesMax) + " that others have");
}

/// Returns the first key that `generate` does not throw away; its last answer after kTagTriesMax.
template <typename Generate>
Result<SigningKey> WithFreeTag(Generate generate) {
  Result<SigningKey> key = generate();
  for (int i = 1; i < kTagTriesMax && !key && key.error().reason == Reason::kLimitExceeded; ++i) key = generate();
  return key;
}

}  // namespace idzone::signer::keys
