// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "zone-signer/keys/private_key.h"
#include "zone-signer/keys/token/connection.h"

/// Key pairs as objects of a token. A pair is two objects, private and public, whose CKA_ID is the key's name (SHA-256 of its
/// SubjectPublicKeyInfo) and whose CKA_LABEL is the same in hex. Until a new pair has its name it is labelled kUnnamed; such a pair is
/// left over when the signer dies in between, nothing refers to it, and it may be deleted.
namespace idzone::signer::keys::token {

inline constexpr const char* kUnnamed = "idzone unnamed";

struct KeyPair {
  CK_OBJECT_HANDLE private_key = 0;
  CK_OBJECT_HANDLE public_key = 0;
};

/// Makes a pair that cannot leave the token (CKA_SENSITIVE, not CKA_EXTRACTABLE), without a name. KEY_TOKEN_UNAVAILABLE.
Result<KeyPair> GeneratePair(Session& session, std::uint8_t algorithm);
/// Returns the pair of that name; nothing when there is none. KEY_FILE_INVALID when there are several.
Result<std::optional<KeyPair>> FindPair(Session& session, OctetsView key_id);
Result<void> NamePair(Session& session, const KeyPair& pair, OctetsView key_id);
void DestroyPair(Session& session, const KeyPair& pair);

/// Returns a key that signs by the token. KEY_FILE_INVALID when it is of another kind, or could be read out of the token.
Result<std::shared_ptr<const PrivateKey>> OpenPair(Session& session, std::shared_ptr<Connection> connection, const KeyPair& pair);

}  // namespace idzone::signer::keys::token
