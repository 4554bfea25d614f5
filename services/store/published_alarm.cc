// SPDX-License-Identifier: MIT
#include "services/store/published_alarm.h"

#include "services/store/encoding.h"

namespace idzone::store {
namespace {

constexpr Statement kRaise{"alarm_raise", R"(
insert into published.alarm (namespace_id, reason, detail) values ($1::integer, $2::text, $3::text)
on conflict (namespace_id, reason) do update set detail = excluded.detail, reported_at = now())"};
constexpr Statement kClear{"alarm_clear", "delete from published.alarm where namespace_id = $1::integer"};

}  // namespace

void RaiseAlarm(Transaction& transaction, std::int32_t namespace_id, const Error& error) {
  Execute(transaction, kRaise, namespace_id, std::string(ReasonName(error.reason)), error.Detail());
}

void ClearAlarms(Transaction& transaction, std::int32_t namespace_id) {
  Execute(transaction, kClear, namespace_id);
}

}  // namespace idzone::store
