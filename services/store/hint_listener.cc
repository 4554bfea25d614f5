// SPDX-License-Identifier: MIT
#include "services/store/hint_listener.h"

#include <pqxx/pqxx>
#include <thread>

namespace idzone::store {
namespace {

constexpr std::chrono::seconds kBetweenAttempts(5);

class Ignore : public pqxx::notification_receiver {
 public:
  Ignore(pqxx::connection_base& connection, const char* hint) : pqxx::notification_receiver(connection, hint) {}
  void operator()(const std::string&, int) override {}
};

}  // namespace

struct HintListener::Session {
  Session(const std::string& url, const char* hint) : connection(url), receiver(connection, hint) {}
  pqxx::connection connection;
  Ignore receiver;
};

HintListener::HintListener(std::string url, const char* hint) : url_(std::move(url)), hint_(hint) {}
HintListener::~HintListener() = default;

void HintListener::Wait(std::chrono::milliseconds most) {
  const auto end = std::chrono::steady_clock::now() + most;
  try {
    if (session_ == nullptr && std::chrono::steady_clock::now() >= next_attempt_) {
      next_attempt_ = std::chrono::steady_clock::now() + kBetweenAttempts;
      session_ = std::make_unique<Session>(url_, hint_);
    }
    if (session_ != nullptr) {
      const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(most).count();
      session_->connection.await_notification(static_cast<long>(micros / 1'000'000), static_cast<long>(micros % 1'000'000));
      return;
    }
  } catch (const std::exception&) {
    session_.reset();
  }
  std::this_thread::sleep_until(end);
}

}  // namespace idzone::store
