// SPDX-License-Identifier: MIT
#include "services/store/published_listener.h"

#include <pqxx/pqxx>
#include <thread>

namespace idzone::store {
namespace {

constexpr std::chrono::seconds kBetweenAttempts(5);

class Ignore : public pqxx::notification_receiver {
 public:
  explicit Ignore(pqxx::connection_base& connection) : pqxx::notification_receiver(connection, "idzone_dirty") {}
  void operator()(const std::string&, int) override {}
};

}  // namespace

struct DirtyListener::Session {
  explicit Session(const std::string& url) : connection(url), receiver(connection) {}
  pqxx::connection connection;
  Ignore receiver;
};

DirtyListener::DirtyListener(std::string url) : url_(std::move(url)) {}
DirtyListener::~DirtyListener() = default;

void DirtyListener::Wait(std::chrono::milliseconds most) {
  const auto end = std::chrono::steady_clock::now() + most;
  try {
    if (session_ == nullptr && std::chrono::steady_clock::now() >= next_attempt_) {
      next_attempt_ = std::chrono::steady_clock::now() + kBetweenAttempts;
      session_ = std::make_unique<Session>(url_);
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
