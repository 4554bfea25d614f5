// SPDX-License-Identifier: MIT
#include "zone-signer/pipeline/zone_session.h"

#include "zone-signer/pipeline/apex.h"

namespace idzone::signer::pipeline {

Result<std::optional<ZoneSession>> BeginZoneSession(store::Transaction& transaction, const store::ZoneWork& work, keys::KeyDirectory& keys,
                                                    UnixTime now) {
  const std::string subject = "zone " + work.registered.apex.Format();
  auto policy = zone::FindZonePolicy(work.registered.policy);
  if (!policy) return tl::unexpected(policy.error());
  auto zone = store::LockZone(transaction, work.zone->zone_id);
  if (!zone) return std::nullopt;
  if (now < zone->last_signed_at - kClockDoubt)
    return Fail(Reason::kClockDoubt, subject, "a clock at or after its last signature",
                std::to_string((zone->last_signed_at - now).count()) + " s before it");
  const auto published = store::FindKey(transaction, work.registered.namespace_id);
  if (!published) return tl::unexpected(published.error());
  if (!*published) return Fail(Reason::kNotFound, subject, "a key in published.key", "none");
  auto key = keys.Load((*published)->key_id);
  if (!key) return tl::unexpected(key.error());
  if (key->dnskey() != (*published)->dnskey)
    return Fail(Reason::kKeyFileInvalid, subject, "the sealed key to be the published one", "another");
  return ZoneSession{work.registered, std::move(*policy), std::move(*zone), std::move(*key), now, now};
}

Result<void> DraftApex(store::Transaction& transaction, ZoneSession& session, VersionDraft& draft) {
  const dns::DenialKey apex_key = session.KeyOf(session.apex());
  if (draft.Find(apex_key) == nullptr) {
    auto rows = store::LoadNodes(transaction, session.zone.zone_id, {apex_key});
    if (!rows) return tl::unexpected(rows.error());
    if (rows->size() != 1) return Fail(Reason::kNotFound, "zone " + session.apex().Format(), "an apex node", "none");
    draft.AddLoaded(std::move(rows->front()));
  }
  const auto desired = DesiredApex(session.registered, session.policy, session.key.dnskey(), session.zone.position.serial);
  auto due = RefreshApex(*draft.Find(apex_key), desired, session.policy, session.now);
  if (!due) return tl::unexpected(due.error());
  session.apex_due = *due;
  return {};
}

}  // namespace idzone::signer::pipeline
