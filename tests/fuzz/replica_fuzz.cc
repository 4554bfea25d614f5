// SPDX-License-Identifier: MIT
// A replica in which somebody planted entries, and the questions that a name server asks of it. The pages are LMDB's own and
// whole: what LMDB does with damaged ones is the campaign `faults`. An input is plantings (tree, key, value; sealed with the
// right checksum or not), then questions.
#include <xxhash.h>

#include "services/nameserver/answer.h"
#include "services/replica/inspection.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/unit/nameserver/served_replica.h"

using namespace idzone;
using nameserver::ServedReplica;

namespace {

constexpr std::size_t kPlantingsMax = 4;
constexpr std::size_t kQuestionsMax = 16;

struct Entry {
  replica::Tree tree;
  Octets key;
};

/// The replica, made once, and what its entries were.
struct World {
  explicit World(dns::DenialKind kind) : replica(kind) {
    replica.Load(7);
    replica::ReadTransaction transaction(replica.writer().environment());
    nameserver::Must(transaction.Renew());
    for (unsigned tree = 0; tree < replica::kTreeCount; ++tree) {
      auto cursor = nameserver::Must(replica::Cursor::Open(transaction, static_cast<replica::Tree>(tree)));
      for (auto entry = nameserver::Must(cursor.First()); entry; entry = nameserver::Must(cursor.Next())) {
        if (tree == static_cast<unsigned>(replica::Tree::kMeta) && entry->key == "format") continue;
        entries.push_back({static_cast<replica::Tree>(tree), Octets(entry->key)});
        values.emplace_back(entry->value);
      }
    }
  }

  ServedReplica replica;
  std::vector<Entry> entries;
  std::vector<Octets> values;
};

Octets Seal(OctetsView key, OctetsView content) {
  Octets value;
  OctetWriter writer(value);
  writer.U64(XXH3_64bits_withSeed(content.data(), content.size(), XXH3_64bits(key.data(), key.size())));
  writer.Raw(content);
  return value;
}

/// Reads a planting and puts it into the replica; notes what has to be taken out again.
void Plant(World& world, replica::WriteTransaction& transaction, OctetReader& input, std::vector<Entry>& planted) {
  const unsigned how = input.U8();
  Entry entry;
  if ((how & 1) != 0) {
    entry = world.entries[input.U8() % world.entries.size()];
  } else {
    entry.tree = static_cast<replica::Tree>(input.U8() % replica::kTreeCount);
    entry.key = Octets(input.U8Sized());
  }
  const OctetsView content = input.U16Sized();
  if (entry.key.empty() || entry.key == "format") return;
  const Octets value = (how & 2) != 0 ? Seal(entry.key, content) : Octets(content);
  if (transaction.Put(entry.tree, entry.key, value)) planted.push_back(std::move(entry));
}

void Restore(World& world, const std::vector<Entry>& planted) {
  auto transaction = nameserver::Must(replica::WriteTransaction::Begin(world.replica.writer().environment()));
  for (const Entry& entry : planted) static_cast<void>(transaction.Remove(entry.tree, entry.key));
  for (std::size_t i = 0; i < world.entries.size(); ++i)
    nameserver::Must(transaction.Put(world.entries[i].tree, world.entries[i].key, world.values[i]));
  nameserver::Must(transaction.Commit());
}

void Ask(replica::Snapshot& snapshot, OctetReader& input) {
  nameserver::Answerer answerer(nameserver::KeepRdata);
  answerer.SetMoment(1);
  const auto held = snapshot.Zones();
  if (!held) return;
  for (std::size_t i = 0; i < kQuestionsMax && input.ok() && !input.at_end(); ++i) {
    const unsigned how = input.U8();
    const std::uint16_t type = input.U16();
    Octets name(input.U8Sized());
    // Most names lie in the zone, or nobody gets far.
    if ((how & 2) != 0) name += nameserver::MakeName("_device.acme.example.").wire();
    if ((how & 4) != 0) answerer.OpenQuery(type);
    for (const auto& each : held->zones) {
      const auto zone = answerer.FindZone(snapshot, each.number);
      if (!zone || *zone == nullptr) continue;
      std::vector<nameserver::AnswerRecord> records;
      if (answerer.FindRecords(snapshot, **zone, {type, name, (how & 1) != 0}, records)) {
        for (const auto& record : records)
          IDZONE_INVARIANT(
              record.content == nullptr || record.type == nameserver::Code(dns::RrType::kRrsig) || dns::AllowedRrType(record.type),
              "no other type leaves the replica");
      }
      static_cast<void>(answerer.FindNsec3(snapshot, **zone, name));
      if ((*zone)->record.denial == dns::DenialKind::kNsec && dns::Name::FromWire(name))
        static_cast<void>(answerer.FindNsec(snapshot, **zone, name));
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World nsec3(dns::DenialKind::kNsec3);
  static World nsec(dns::DenialKind::kNsec);
  OctetReader input(fuzz::ViewOf(data, size));
  World& world = (input.U8() & 1) != 0 ? nsec : nsec3;
  std::vector<Entry> planted;
  {
    auto transaction = nameserver::Must(replica::WriteTransaction::Begin(world.replica.writer().environment()));
    for (std::size_t left = input.U8() % (kPlantingsMax + 1); left > 0 && input.ok(); --left) Plant(world, transaction, input, planted);
    nameserver::Must(transaction.Commit());
  }
  {
    replica::ReadTransaction transaction(world.replica.writer().environment());
    nameserver::Must(transaction.Renew());
    static_cast<void>(replica::Inspect(transaction));
    IDZONE_INVARIANT(!replica::ParseFindings(replica::FormatRemembered(replica::Remember(transaction)) + "whole 1\n").damage,
                     "what is remembered is read back");
    replica::Snapshot snapshot(world.replica.writer().environment());
    nameserver::Must(snapshot.Renew());
    Ask(snapshot, input);
  }
  static_cast<void>(world.replica.writer().Zones());
  Restore(world, planted);
  return 0;
}
