// SPDX-License-Identifier: MIT
#include "services/provisioning/naming.h"

#include "services/core/identity/private_label.h"
#include "services/core/zone/layout.h"

namespace idzone::provisioning {
namespace {

constexpr std::size_t kSecretsMax = 10'000;

/// Where each identity may choose, a clear id must not look like a private label: it could be another identity's.
bool LooksPrivate(const std::string& text) {
  return text.size() == identity::kPrivateLabelOctets && Base32HexDecode(text).has_value();
}

/// What a secret's seal is bound to.
Octets SecretId(const dns::Name& name) {
  return Sha256(name.wire());
}

Result<bool> WantsPrivate(const store::NamespaceRecord& home, std::optional<zone::LabelPrivacy> wanted) {
  using zone::LabelPrivacy;
  if (home.labels == LabelPrivacy::kChosen) return wanted != LabelPrivacy::kClear;
  if (wanted && *wanted != home.labels)
    return Fail(Reason::kLabelConflict, "label_privacy", home.labels == LabelPrivacy::kClear ? "clear" : "private",
                *wanted == LabelPrivacy::kClear ? "clear" : "private");
  return home.labels == LabelPrivacy::kPrivate;
}

}  // namespace

Result<identity::Subject> Naming::ReadSubject(const store::NamespaceRecord& home, const std::string& id) {
  return identity::Subject::Parse(zone::FormOf(zone::KindOf(home.name), home.layout, home.labels), id);
}

Octets Naming::IdentityIdOf(const store::NamespaceRecord& home, const identity::Subject& subject) {
  return identity::MakeIdentityId(home.name.wire(), subject);
}

Result<dns::Name> Naming::OwnerOf(const store::NamespaceRecord& home, const store::IdentityRecord& record) {
  const auto subject = ReadSubject(home, record.subject);
  if (!subject) return tl::unexpected(subject.error());
  return zone::OwnerName(home.layout, home.name, *subject, record.label);
}

Result<Place> Naming::Find(const store::NamespaceRecord& home, const std::string& id, std::optional<zone::LabelPrivacy> wanted) {
  if (home.wildcard_ca)
    return Fail(Reason::kNamespaceKindMismatch, "namespace_name", "a namespace of identities",
                home.name.Format() + ", which holds one authority and nothing else");
  auto subject = ReadSubject(home, id);
  if (!subject) return tl::unexpected(subject.error());
  const auto hidden = WantsPrivate(home, wanted);
  if (!hidden) return tl::unexpected(hidden.error());
  std::optional<std::string> label;
  if (*hidden) {
    const auto secret = SecretOf(home);
    if (!secret) return tl::unexpected(secret.error());
    label = identity::PrivateLabel((*secret)->view(), *subject);
  } else if (home.labels == zone::LabelPrivacy::kChosen && LooksPrivate(subject->text())) {
    return Fail(Reason::kIdMalformed, "id", "a clear id that is not of the form of private labels", subject->text());
  }
  auto owner = zone::OwnerName(home.layout, home.name, *subject, label);
  if (!owner) return tl::unexpected(owner.error());
  Octets identity_id = IdentityIdOf(home, *subject);
  return Place{std::move(*subject), std::move(label), std::move(*owner), std::move(identity_id)};
}

Result<Octets> Naming::MakeSealedSecret(const dns::Name& name) const {
  if (!key_)
    return Fail(Reason::kNamespaceNotReady, "labels", "a server with secrets.kek_file, which seals what makes private labels",
                "one without: configure it, or ask for clear labels");
  const auto secret = sealing::MakeRandomSecret(identity::kNamespaceSecretOctets);
  if (!secret) return tl::unexpected(secret.error());
  return key_->Seal(SecretId(name), *secret);
}

Result<std::shared_ptr<const sealing::Secret>> Naming::SecretOf(const store::NamespaceRecord& home) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = secrets_.find(home.namespace_id); found != secrets_.end()) return found->second;
  const std::string subject = "secret of " + home.name.Format();
  if (!key_) return Fail(Reason::kUnavailable, subject, "a server with secrets.kek_file, which opens it", "one without");
  auto secret = key_->Unseal(SecretId(home.name), home.sealed_secret, subject);
  if (!secret) return Fail(Reason::kUnavailable, subject, "the key-encryption key that sealed it", "another one, or a damaged secret");
  if (secret->size() != identity::kNamespaceSecretOctets)
    return Fail(Reason::kUnavailable, subject, "32 octets", std::to_string(secret->size()));
  if (secrets_.size() >= kSecretsMax) secrets_.clear();
  auto shared = std::make_shared<const sealing::Secret>(std::move(*secret));
  secrets_[home.namespace_id] = shared;
  return shared;
}

}  // namespace idzone::provisioning
