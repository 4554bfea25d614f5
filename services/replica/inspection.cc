// SPDX-License-Identifier: MIT
#include "services/replica/inspection.h"

#include <charconv>
#include <map>
#include <sstream>

#include "services/core/dns/denial.h"

namespace idzone::replica {
namespace {

tl::unexpected<Error> Damaged(std::string subject, std::string expected, std::string met) {
  return Fail(Reason::kEncodingMalformed, std::move(subject), std::move(expected), std::move(met));
}

/// Calls `visit(entry)` for each entry of a tree, all of which must be found by their keys, too: a walk goes from page to page and does not
/// see what the pages above say of where keys are. Ends at the first error.
template <typename Visit>
Result<void> ForEach(const ReadTransaction& transaction, Tree tree, Visit visit) {
  auto cursor = Cursor::Open(transaction, tree);
  if (!cursor) return tl::unexpected(cursor.error());
  for (auto entry = cursor->First();; entry = cursor->Next()) {
    if (!entry) return tl::unexpected(entry.error());
    if (!*entry) return {};
    if (Result<void> visited = visit(**entry); !visited) return visited;
    const auto found = transaction.Get(tree, (*entry)->key);
    if (!found) return tl::unexpected(found.error());
    if (!*found || (*found)->data() != (*entry)->value.data())
      return Damaged("entry " + HexEncode((*entry)->key), "to be found by its key", *found ? "another" : "none");
  }
}

/// What the small trees say, before the nodes are walked.
struct Zones {
  std::map<Octets, ZoneRecord> records;          // by apex
  std::map<Generation, const Octets*> live;      // a zone's generation -> its apex
  std::map<Generation, GenerationState> states;  // as the generation tree says
};

Result<void> ReadZones(const ReadTransaction& transaction, Zones& zones) {
  auto read = ForEach(transaction, Tree::kZone, [&](const Cursor::Entry& entry) -> Result<void> {
    auto record = DecodeZoneRecord(entry.key, entry.value);
    if (!record) return tl::unexpected(record.error());
    const auto placed = zones.records.emplace(Octets(entry.key), std::move(*record)).first;
    if (!zones.live.emplace(placed->second.generation, &placed->first).second)
      return Damaged("zone " + HexEncode(entry.key), "a generation of its own", "another zone's");
    return {};
  });
  if (!read) return read;
  std::size_t numbers = 0;
  read = ForEach(transaction, Tree::kZoneNumber, [&](const Cursor::Entry& entry) -> Result<void> {
    const auto number = DecodeNumber(entry.key, "zone number");
    if (!number) return tl::unexpected(number.error());
    const auto found = zones.records.find(Octets(entry.value));
    if (found == zones.records.end() || found->second.number != *number)
      return Damaged("zone number " + std::to_string(*number), "the zone that has it", HexEncode(entry.value));
    ++numbers;
    return {};
  });
  if (!read) return read;
  if (numbers != zones.records.size())
    return Damaged("zone numbers", std::to_string(zones.records.size()) + " of them", std::to_string(numbers));
  return {};
}

Result<void> ReadGenerations(const ReadTransaction& transaction, Zones& zones) {
  auto read = ForEach(transaction, Tree::kGeneration, [&](const Cursor::Entry& entry) -> Result<void> {
    const auto generation = DecodeNumber(entry.key, "generation");
    if (!generation) return tl::unexpected(generation.error());
    const auto state = entry.value.size() == 1 ? static_cast<GenerationState>(entry.value[0]) : GenerationState{};
    if (state < GenerationState::kFilling || state > GenerationState::kRemoving)
      return Damaged("generation " + std::to_string(*generation), "a state from 1 to 3", HexEncode(entry.value));
    zones.states[*generation] = state;
    if ((state == GenerationState::kLive) != zones.live.contains(*generation))
      return Damaged("generation " + std::to_string(*generation), "to be live where a zone has it, and nowhere else", "otherwise");
    return {};
  });
  if (!read) return read;
  for (const auto& [generation, apex] : zones.live)
    if (!zones.states.contains(generation)) return Damaged("generation " + std::to_string(generation), "a state", "none");
  return {};
}

/// Follows the denial chains of all live generations through the node tree, which holds them one behind the other.
class ChainWalk {
 public:
  explicit ChainWalk(const Zones& zones) : zones_(zones) {}

  Result<void> Visit(const Cursor::Entry& entry) {
    OctetReader key(entry.key);
    const Generation generation = key.U32();
    const auto state = zones_.states.find(generation);
    if (!key.ok() || state == zones_.states.end()) return Damaged("node " + HexEncode(entry.key), "a generation that is known", "another");
    const auto node = DecodeNode(entry.key, entry.value);
    if (!node) return tl::unexpected(node.error());
    if (node->forbidden != 0) return Fail(Reason::kRecordTypeForbidden, "node " + HexEncode(entry.key), "allowed types", "others");
    if (state->second != GenerationState::kLive) return {};
    if (!generation_ || generation != *generation_) {
      if (auto ended = End(); !ended) return ended;
      if (auto begun = Begin(generation, *node); !begun) return begun;
    } else if (node->key != expected_) {
      return Damaged("node " + HexEncode(entry.key), "the chain's next, " + HexEncode(expected_), HexEncode(node->key));
    }
    return Step(*node);
  }

  /// The last chain must be closed too, and each zone have one.
  Result<void> Finish() {
    if (auto ended = End(); !ended) return ended;
    if (seen_ != zones_.live.size())
      return Damaged("replica", "nodes of " + std::to_string(zones_.live.size()) + " zones", std::to_string(seen_));
    return {};
  }

  std::uint64_t nodes() const { return nodes_; }

 private:
  Result<void> Begin(Generation generation, const NodeView& first) {
    const Octets& apex = *zones_.live.at(generation);
    auto name = dns::Name::FromWire(apex, "zone");
    if (!name) return tl::unexpected(name.error());
    zone_ = *std::move(name);
    denial_ = zones_.records.at(apex).denial;
    generation_ = generation;
    first_ = Octets(first.key);
    has_apex_ = false;
    ++seen_;
    return {};
  }

  Result<void> Step(const NodeView& node) {
    const auto owner = dns::Name::FromWire(node.owner, "node owner");
    if (!owner) return tl::unexpected(owner.error());
    if (!owner->IsAtOrBelow(zone_) || dns::DenialKeyOf(denial_, *owner, zone_) != node.key)
      return Damaged("node " + HexEncode(node.key), "the key of its owner in " + zone_.Format(), "that of " + owner->Format());
    auto next = dns::KeyOfDenialNext(denial_, node.next, zone_);
    if (!next) return tl::unexpected(next.error());
    expected_ = *std::move(next);
    has_apex_ = has_apex_ || *owner == zone_;
    ++nodes_;
    return {};
  }

  Result<void> End() const {
    if (!generation_) return {};
    if (expected_ != first_) return Damaged("zone " + zone_.Format(), "a closed denial chain", "one that ends early");
    if (!has_apex_) return Damaged("zone " + zone_.Format(), "its apex", "none");
    return {};
  }

  const Zones& zones_;
  std::optional<Generation> generation_;
  dns::Name zone_;
  dns::DenialKind denial_ = dns::DenialKind::kNsec3;
  dns::DenialKey first_;
  dns::DenialKey expected_;  // what the chain names next
  bool has_apex_ = false;
  std::size_t seen_ = 0;  // live generations
  std::uint64_t nodes_ = 0;
};

Result<void> CheckMeta(const ReadTransaction& transaction) {
  for (const char* key : {"format", "next"}) {
    const auto value = transaction.Get(Tree::kMeta, key);
    if (!value) return tl::unexpected(value.error());
    if (!*value) continue;  // a replica that has never given a number
    if (auto number = DecodeNumber(**value, key); !number) return tl::unexpected(number.error());
  }
  return {};
}

}  // namespace

// What does not decode is left out: the walk over everything reports it.
std::vector<Remembered> Remember(const ReadTransaction& transaction) {
  std::map<Octets, Remembered> found;
  const auto note = [&](OctetsView key, const auto& add) {
    auto name = dns::Name::FromWire(key, "zone");
    if (!name) return;
    Remembered& remembered = found[Octets(key)];
    remembered.zone = *std::move(name);
    add(remembered);
  };
  static_cast<void>(ForEach(transaction, Tree::kZone, [&](const Cursor::Entry& entry) -> Result<void> {
    if (auto record = DecodeZoneRecord(entry.key, entry.value); record)
      note(entry.key, [&](Remembered& remembered) { remembered.position = record->position; });
    return {};
  }));
  static_cast<void>(ForEach(transaction, Tree::kPin, [&](const Cursor::Entry& entry) -> Result<void> {
    if (auto pins = DecodePins(entry.key, entry.value); pins)
      note(entry.key, [&](Remembered& remembered) { remembered.pins = *std::move(pins); });
    return {};
  }));
  std::vector<Remembered> list;
  for (auto& [key, remembered] : found) list.push_back(std::move(remembered));
  return list;
}

namespace {

std::string HexOrNothing(OctetsView octets) {
  return octets.empty() ? "-" : HexEncode(octets);
}

template <typename Number>
bool ReadNumber(const std::string& text, Number& number) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size();
}

std::optional<Remembered> ParseRemembered(std::istringstream& words) {
  std::string zone;
  std::string epoch;
  std::string serial;
  std::string digest;
  if (!(words >> zone >> epoch >> serial >> digest)) return std::nullopt;
  Remembered remembered;
  const auto wire = HexDecode(zone, "zone");
  auto name = wire ? dns::Name::FromWire(*wire, "zone") : tl::unexpected(wire.error());
  if (!name || !ReadNumber(epoch, remembered.position.epoch) || !ReadNumber(serial, remembered.position.serial)) return std::nullopt;
  remembered.zone = *std::move(name);
  if (digest != "-") {
    auto octets = HexDecode(digest, "digest");
    if (!octets) return std::nullopt;
    remembered.position.digest = *std::move(octets);
  }
  for (std::string pin; words >> pin;) {
    auto octets = HexDecode(pin, "pin");
    if (!octets) return std::nullopt;
    remembered.pins.push_back(*std::move(octets));
  }
  return remembered;
}

}  // namespace

Result<std::uint64_t> Inspect(const ReadTransaction& transaction) {
  Zones zones;
  if (auto checked = CheckMeta(transaction); !checked) return tl::unexpected(checked.error());
  if (auto read = ReadZones(transaction, zones); !read) return tl::unexpected(read.error());
  if (auto read = ReadGenerations(transaction, zones); !read) return tl::unexpected(read.error());
  ChainWalk walk(zones);
  auto walked = ForEach(transaction, Tree::kNode, [&](const Cursor::Entry& entry) { return walk.Visit(entry); });
  if (walked) walked = walk.Finish();
  if (walked) walked = transaction.CheckFreePages();
  if (!walked) return tl::unexpected(walked.error());
  return walk.nodes();
}

std::string FormatRemembered(const std::vector<Remembered>& list) {
  std::string text;
  for (const Remembered& remembered : list) {
    text += "remembered " + HexEncode(remembered.zone.wire()) + " " + std::to_string(remembered.position.epoch) + " " +
            std::to_string(remembered.position.serial) + " " + HexOrNothing(remembered.position.digest);
    for (const Octets& pin : remembered.pins) text += " " + HexEncode(pin);
    text += "\n";
  }
  return text;
}

std::string FormatVerdict(const Result<std::uint64_t>& inspected) {
  return (inspected ? "whole " + std::to_string(*inspected) : "damaged " + inspected.error().Detail()) + "\n";
}

Findings ParseFindings(std::string_view text) {
  Findings findings;
  findings.damage = Error{Reason::kEncodingMalformed, "replica", "an inspection that ends", "one that died"};
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "remembered") {
      if (auto remembered = ParseRemembered(words)) findings.remembered.push_back(*std::move(remembered));
    } else if (word == "whole" && words >> findings.nodes && !lines.eof()) {
      findings.damage.reset();
    } else if (word == "damaged") {
      findings.damage = Error{Reason::kEncodingMalformed, "replica", "a whole one", line.substr(8)};
    }
  }
  return findings;
}

}  // namespace idzone::replica
