// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/memo.h"

#include <algorithm>
#include <utility>

namespace idzone::nameserver {
namespace {

/// Lets what is kept look at a copy. Returns false when the octets are no longer what they were when they were looked at.
bool TakeOctets(Known& known) {
  if (!known.place || known.octets != nullptr) return true;
  const replica::NodeView& node = known.place->node;
  known.octets = std::make_shared<const std::pair<Octets, Octets>>(node.stored_key, node.stored_value);
  auto copy = replica::DecodeNode(known.octets->first, known.octets->second);
  if (!copy) return false;
  known.place->node = *std::move(copy);
  return true;
}

}  // namespace

void Memo::SetMoment(std::uint64_t moment) {
  if (moment == moment_) return;
  moment_ = moment;
  zones_.clear();
  query_.clear();
}

void Memo::Open() {
  has_target_ = false;
  query_.clear();
  if (zones_.size() >= kZones) zones_.clear();
}

const ServedZone* Memo::FindZone(replica::ZoneNumber number) const {
  const auto found = zones_.find(number);
  return found == zones_.end() ? nullptr : &found->second.zone;
}

const ServedZone& Memo::AddZone(ServedZone zone) {
  const replica::ZoneNumber number = zone.record.number;
  return zones_.try_emplace(number, KnownZone{std::move(zone), {}}).first->second.zone;
}

Known& Memo::AddApex(const ServedZone& zone, Known known) {
  AddZone(zone);
  Known& apex = zones_.at(zone.record.number).apex;
  apex = std::move(known);
  apex.moment = TakeOctets(apex) ? moment_ : 0;
  return Remember(apex);
}

std::unique_ptr<Known>& Memo::Slot(replica::ZoneNumber zone, OctetsView name) {
  return ancestors_[(std::hash<OctetsView>()(name) ^ zone) % kAncestors];
}

Known& Memo::Remember(Known& known) {
  if (query_.size() < kQuery) query_.push_back(&known);
  return known;
}

Known* Memo::FindName(const ServedZone& zone, OctetsView name, bool for_client) {
  for (Known* known : query_) {
    if (!IsHere(*known, zone)) continue;
    if (known->name == name || known->Holds(name)) return known;
  }
  Known* kept = Slot(zone.record.number, name).get();
  if (const auto found = zones_.find(zone.record.number); found != zones_.end() && name == found->second.zone.apex.wire())
    kept = &found->second.apex;
  if (kept == nullptr || !IsHere(*kept, zone) || kept->name != name) return nullptr;
  if (!for_client || has_target_) return &Remember(*kept);
  // Its ancestors may take its slot, and a query's target must not get lost.
  has_target_ = true;
  target_ = *kept;
  return &Remember(target_);
}

Known* Memo::FindKey(const ServedZone& zone, OctetsView key) {
  const auto found = std::find_if(query_.begin(), query_.end(), [&](const Known* k) { return IsHere(*k, zone) && k->key == key; });
  return found == query_.end() ? nullptr : *found;
}

Known* Memo::FindNode(const ServedZone& zone, OctetsView key) {
  const auto found =
      std::find_if(query_.begin(), query_.end(), [&](const Known* k) { return IsHere(*k, zone) && k->place && k->place->node.key == key; });
  return found == query_.end() ? nullptr : *found;
}

Known& Memo::Add(Known known, bool for_client) {
  if (for_client && has_target_) return Keep(std::move(known));
  Known& place = for_client ? target_ : others_[next_other_++ % others_.size()];
  has_target_ = has_target_ || for_client;
  place = std::move(known);
  place.moment = moment_;
  return Remember(place);
}

Known& Memo::Keep(Known known) {
  std::unique_ptr<Known>& slot = Slot(known.zone, known.name);
  if (slot == nullptr) slot = std::make_unique<Known>();
  *slot = std::move(known);
  slot->moment = TakeOctets(*slot) ? moment_ : 0;
  return Remember(*slot);
}

}  // namespace idzone::nameserver
