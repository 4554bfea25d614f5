// SPDX-License-Identifier: MIT
#include "zone-signer/keys/token_keys.h"

#include <chrono>
#include <map>
#include <optional>

#include "services/core/dns/dnskey.h"
#include "zone-signer/keys/free_tag.h"
#include "zone-signer/keys/token/key_object.h"

namespace idzone::signer::keys {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// How long after a failure the token is left alone.
constexpr std::chrono::seconds kBetweenTries(2);

}  // namespace

struct TokenKeys::Parts {
  Parts(const TokenOptions& token_options, const token::Module& token_module)
      : options(token_options), module(token_module), login(token_options.pin_file) {}

  /// Returns the connection that works, or makes one.
  Result<std::shared_ptr<token::Connection>> Connected();
  Result<token::Session> TakeSession();
  Result<SigningKey> GenerateOne(token::Session& session, std::uint8_t algorithm, std::uint16_t flags,
                                 const std::set<std::uint16_t>& taken);

  const TokenOptions options;
  const token::Module module;
  token::Login login;
  std::map<KeyId, SigningKey> open;  // of this connection
  std::shared_ptr<token::Connection> connection;
  std::optional<Error> failure;  // of the last try
  SteadyClock::time_point next_try;
};

Result<std::shared_ptr<token::Connection>> TokenKeys::Parts::Connected() {
  if (connection != nullptr && !connection->lost()) return connection;
  open.clear();
  // C_Finalize ends the sessions of whoever still holds a key: they must have let go first.
  if (connection != nullptr && connection.use_count() > 1)
    return Fail(Reason::kKeyTokenUnavailable, connection->subject(), "no key of it in use, to connect again",
                "some; the next try will find none");
  connection.reset();
  if (failure && SteadyClock::now() < next_try) return tl::unexpected(*failure);
  auto opened = token::Connection::Open(module, options.label, login);
  if (!opened) {
    failure = opened.error();
    next_try = SteadyClock::now() + kBetweenTries;
    return opened;
  }
  failure.reset();
  connection = *opened;
  return connection;
}

Result<token::Session> TokenKeys::Parts::TakeSession() {
  auto connected = Connected();
  if (!connected) return tl::unexpected(connected.error());
  return token::Session::Take(*std::move(connected));
}

Result<SigningKey> TokenKeys::Parts::GenerateOne(token::Session& session, std::uint8_t algorithm, std::uint16_t flags,
                                                 const std::set<std::uint16_t>& taken) {
  const auto pair = token::GeneratePair(session, algorithm);
  if (!pair) return tl::unexpected(pair.error());
  auto named = [&]() -> Result<SigningKey> {
    auto opened = token::OpenPair(session, connection, *pair);
    if (!opened) return tl::unexpected(opened.error());
    SigningKey key(*std::move(opened));
    if (taken.contains(dns::KeyTag(key.DnskeyWith(flags)))) return TagIsTaken();
    if (auto done = token::NamePair(session, *pair, key.id()); !done) return tl::unexpected(done.error());
    return key;
  }();
  if (!named) token::DestroyPair(session, *pair);
  return named;
}

TokenKeys::TokenKeys(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
TokenKeys::~TokenKeys() = default;
TokenKeys::TokenKeys(TokenKeys&&) noexcept = default;
TokenKeys& TokenKeys::operator=(TokenKeys&&) noexcept = default;

Result<TokenKeys> TokenKeys::Open(const TokenOptions& options) {
  const auto module = token::Module::Load(options.module);
  if (!module) return tl::unexpected(module.error());
  auto parts = std::make_unique<Parts>(options, *module);
  if (auto checked = parts->login.CheckFile(); !checked) return tl::unexpected(checked.error());
  return TokenKeys(std::move(parts));
}

Result<void> TokenKeys::Check() {
  auto connected = parts_->Connected();
  if (!connected) return tl::unexpected(connected.error());
  return (*connected)->Check();
}

Result<SigningKey> TokenKeys::Create(std::uint8_t algorithm, std::uint16_t flags, const std::set<std::uint16_t>& taken) {
  auto session = parts_->TakeSession();
  if (!session) return tl::unexpected(session.error());
  auto key = WithFreeTag([&] { return parts_->GenerateOne(*session, algorithm, flags, taken); });
  if (!key) return key;
  // Found again before anything is signed with it: a key that cannot be found tomorrow must not enter a zone today.
  return Load(key->id());
}

Result<SigningKey> TokenKeys::Load(const KeyId& id) {
  IDZONE_INVARIANT(id.size() == kKeyIdOctets, "a key id has 32 octets");
  auto session = parts_->TakeSession();
  if (!session) return tl::unexpected(session.error());
  if (const auto found = parts_->open.find(id); found != parts_->open.end()) return found->second;
  const std::string subject = session->connection().subject();
  const auto pair = token::FindPair(*session, id);
  if (!pair) return tl::unexpected(pair.error());
  if (!*pair) return Fail(Reason::kKeyFileInvalid, subject, "the key " + HexEncode(id), "no such key");
  auto opened = token::OpenPair(*session, parts_->connection, **pair);
  if (!opened) return tl::unexpected(opened.error());
  SigningKey key(*std::move(opened));
  if (key.id() != id) return Fail(Reason::kKeyFileInvalid, subject, "the key " + HexEncode(id), "another key of that CKA_ID");
  parts_->open.emplace(id, key);
  return key;
}

void TokenKeys::Discard(const KeyId& id) {
  auto session = parts_->TakeSession();
  if (!session) return;
  parts_->open.erase(id);
  if (const auto pair = token::FindPair(*session, id); pair && *pair) token::DestroyPair(*session, **pair);
}

}  // namespace idzone::signer::keys
