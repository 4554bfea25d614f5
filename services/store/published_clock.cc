// SPDX-License-Identifier: MIT
#include "services/store/published_clock.h"

#include "services/store/encoding.h"

namespace idzone::store {
namespace {

constexpr Statement kReadClock{"clock_read", "select extract(epoch from clock_timestamp())::bigint"};
constexpr Statement kLoadWord{"clock_load_word", R"(
select extract(epoch from w.given_at)::bigint from registry.clock_word w
 where w.namespace_id = $1::integer and w.given_at >= to_timestamp($2::bigint) order by w.given_at desc limit 1)"};
constexpr Statement kSignedAfter{"clock_signed_after",
                                 "select distinct namespace_id from published.zone where last_signed_at > to_timestamp($1::bigint)"};
constexpr Statement kLastSignature{
    "clock_last_signature", "select extract(epoch from max(last_signed_at))::bigint from published.zone where namespace_id = $1::integer"};
constexpr Statement kRewind{"clock_rewind", R"(
update published.zone
   set last_signed_at = least(last_signed_at, to_timestamp($2::bigint)), resign_key = ''::bytea, resign_round = to_timestamp($3::bigint),
       renew_at = to_timestamp($2::bigint), expires_ahead = least(expires_ahead, expires_behind), expires_behind = null
 where namespace_id = $1::integer)"};
constexpr Statement kEndStuck{"clock_end_stuck", R"(
select count(*) filter (where pg_terminate_backend(a.pid)) as ended from pg_stat_activity a
 where a.usename = current_user and a.application_name = current_setting('application_name') and a.datname = current_database()
   and a.pid <> pg_backend_pid() and a.xact_start < clock_timestamp() - make_interval(secs => $1::bigint))"};

std::int64_t Seconds(UnixTime time) {
  return time.time_since_epoch().count();
}

std::string Milliseconds(std::chrono::milliseconds duration) {
  return std::to_string(duration.count());
}

}  // namespace

UnixTime ReadDatabaseClock(Transaction& transaction) {
  return UnixTime(std::chrono::seconds(NumberOf<std::int64_t>(Execute(transaction, kReadClock)[0][0])));
}

std::optional<UnixTime> LoadClockWord(Transaction& transaction, std::int32_t namespace_id, UnixTime since) {
  const pqxx::result rows = Execute(transaction, kLoadWord, namespace_id, Seconds(since));
  if (rows.empty()) return std::nullopt;
  return UnixTime(std::chrono::seconds(NumberOf<std::int64_t>(rows[0][0])));
}

std::set<std::int32_t> ListSignedAfter(Transaction& transaction, UnixTime time) {
  std::set<std::int32_t> namespace_ids;
  for (const pqxx::row& row : Execute(transaction, kSignedAfter, Seconds(time))) namespace_ids.insert(NumberOf<std::int32_t>(row[0]));
  return namespace_ids;
}

UnixTime LoadLastSignature(Transaction& transaction, std::int32_t namespace_id) {
  return UnixTime(std::chrono::seconds(NumberOf<std::int64_t>(Execute(transaction, kLastSignature, namespace_id)[0][0])));
}

void RewindZones(Transaction& transaction, std::int32_t namespace_id, UnixTime now, UnixTime round) {
  Execute(transaction, kRewind, namespace_id, Seconds(now), Seconds(round));
}

std::int64_t EndStuckSessions(Transaction& transaction, std::chrono::seconds longer_than) {
  return NumberOf<std::int64_t>(Execute(transaction, kEndStuck, static_cast<std::int64_t>(longer_than.count()))[0]["ended"]);
}

std::vector<std::pair<std::string, std::string>> TakeoverSettings(std::chrono::seconds takeover) {
  const std::string limit = Milliseconds(takeover);
  return {{"idle_in_transaction_session_timeout", limit},
          // The server's side of the connection: a host that vanished, or that takes no more of an answer.
          {"tcp_user_timeout", limit},
          {"tcp_keepalives_idle", "5"},
          {"tcp_keepalives_interval", "2"},
          {"tcp_keepalives_count", "3"},
          {"client_connection_check_interval", "5000"}};
}

}  // namespace idzone::store
