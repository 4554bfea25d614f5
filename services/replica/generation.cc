// SPDX-License-Identifier: MIT
#include "services/replica/generation.h"

#include <algorithm>

namespace idzone::replica {
namespace {

/// Dirty pages of one step stay below some tens of MiB, so that no transaction grows with a zone.
constexpr std::size_t kNodesPerStep = 10'000;

/// Removes at most kNodesPerStep nodes; returns whether the generation is gone.
Result<bool> RemoveStep(const std::shared_ptr<Environment>& environment, Generation generation) {
  auto transaction = WriteTransaction::Begin(environment);
  if (!transaction) return tl::unexpected(transaction.error());
  std::vector<Octets> keys;
  {
    auto cursor = Cursor::Open(*transaction, Tree::kNode);
    if (!cursor) return tl::unexpected(cursor.error());
    for (auto entry = cursor->Seek(EncodeNodeKey(generation, {})); keys.size() < kNodesPerStep; entry = cursor->Next()) {
      if (!entry) return tl::unexpected(entry.error());
      if (!*entry || !(*entry)->key.starts_with(EncodeNumber(generation))) break;
      keys.emplace_back((*entry)->key);
    }
  }
  for (const Octets& key : keys) {
    if (auto removed = transaction->Remove(Tree::kNode, key); !removed) return tl::unexpected(removed.error());
  }
  const bool done = keys.size() < kNodesPerStep;
  if (done) {
    if (auto removed = transaction->Remove(Tree::kGeneration, EncodeNumber(generation)); !removed) return removed;
  }
  if (auto committed = transaction->Commit(); !committed) return tl::unexpected(committed.error());
  return done;
}

}  // namespace

Result<std::uint32_t> TakeNumber(WriteTransaction& transaction) {
  const auto value = transaction.Get(Tree::kMeta, "next");
  if (!value) return tl::unexpected(value.error());
  std::uint32_t number = 1;
  if (*value) {
    const auto next = DecodeNumber(**value, "next");
    if (!next) return tl::unexpected(next.error());
    number = *next;
  }
  IDZONE_INVARIANT(number < 0xfffffffe, "a replica gives fewer than 2^32 numbers in its life");
  if (auto put = transaction.Put(Tree::kMeta, "next", EncodeNumber(number + 1)); !put) return tl::unexpected(put.error());
  return number;
}

Result<void> SetState(WriteTransaction& transaction, Generation generation, GenerationState state) {
  return transaction.Put(Tree::kGeneration, EncodeNumber(generation), Octets(1, static_cast<char>(state)));
}

Result<void> RemoveGeneration(const std::shared_ptr<Environment>& environment, Generation generation) {
  while (true) {
    const auto done = RemoveStep(environment, generation);
    if (!done) return tl::unexpected(done.error());
    if (*done) return {};
  }
}

Result<void> RemoveLeftovers(const std::shared_ptr<Environment>& environment, const std::vector<Generation>& spared) {
  std::vector<Generation> leftovers;
  {
    ReadTransaction transaction(environment);
    if (auto renewed = transaction.Renew(); !renewed) return renewed;
    auto cursor = Cursor::Open(transaction, Tree::kGeneration);
    if (!cursor) return tl::unexpected(cursor.error());
    for (auto entry = cursor->First();; entry = cursor->Next()) {
      if (!entry) return tl::unexpected(entry.error());
      if (!*entry) break;
      const auto generation = DecodeNumber((*entry)->key, "generation");
      if (!generation) return tl::unexpected(generation.error());
      if ((*entry)->value != Octets(1, static_cast<char>(GenerationState::kLive))) leftovers.push_back(*generation);
    }
  }
  for (const Generation generation : leftovers) {
    if (std::find(spared.begin(), spared.end(), generation) != spared.end()) continue;
    if (auto removed = RemoveGeneration(environment, generation); !removed) return removed;
  }
  return {};
}

}  // namespace idzone::replica
