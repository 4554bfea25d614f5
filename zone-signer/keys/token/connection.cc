// SPDX-License-Identifier: MIT
#include "zone-signer/keys/token/connection.h"

#include <string_view>

namespace idzone::signer::keys::token {
namespace {

constexpr std::string_view kExpectedToken = "a token that works; it is waited for";
/// Slots that are looked at; a host has a handful of tokens.
constexpr CK_ULONG kSlotsMax = 256;

/// Refusals of one wish by a token that goes on as it was.
bool IsRefusal(CK_RV value) {
  switch (value) {
    case CKR_DEVICE_MEMORY:
    case CKR_TOKEN_WRITE_PROTECTED:
    case CKR_MECHANISM_INVALID:
    case CKR_CURVE_NOT_SUPPORTED:
    case CKR_TEMPLATE_INCONSISTENT: return true;
    default: return false;
  }
}

/// Labels fill their 32 octets with blanks.
std::string LabelOf(const CK_TOKEN_INFO& info) {
  std::string label(reinterpret_cast<const char*>(info.label), sizeof info.label);
  label.erase(label.find_last_not_of(' ') + 1);
  return label;
}

}  // namespace

Result<std::shared_ptr<Connection>> Connection::Open(const Module& module, const std::string& label, Login& login) {
  std::shared_ptr<Connection> connection(new Connection(module, "token " + label));
  // The destructor ends what this begins, whether or not it succeeds.
  if (const CK_RV done = module.Begin(); done != CKR_OK) return connection->Failed("C_Initialize", done);
  if (auto found = connection->FindSlot(label); !found) return tl::unexpected(found.error());
  CK_TOKEN_INFO info{};
  if (const CK_RV done = module->C_GetTokenInfo(connection->slot_, &info); done != CKR_OK)
    return connection->Failed("C_GetTokenInfo", done);
  const auto session = connection->TakeSession();
  if (!session) return tl::unexpected(session.error());
  // One login is the whole process's (PKCS #11 2.40 §5.6).
  if (auto in = login.In(module, *session, info.flags, connection->subject_); !in) return tl::unexpected(in.error());
  connection->GiveBack(*session);
  return connection;
}

Connection::~Connection() {
  module_->C_CloseAllSessions(slot_);
  module_.End();
}

Result<void> Connection::FindSlot(const std::string& label) {
  CK_SLOT_ID slots[kSlotsMax] = {};
  CK_ULONG count = kSlotsMax;
  if (const CK_RV done = module_->C_GetSlotList(CK_TRUE, slots, &count); done != CKR_OK) return Failed("C_GetSlotList", done);
  std::string labels;
  int found = 0;
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_TOKEN_INFO info{};
    if (module_->C_GetTokenInfo(slots[i], &info) != CKR_OK || (info.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
    labels += (labels.empty() ? "" : ", ") + LabelOf(info);
    if (LabelOf(info) != label) continue;
    slot_ = slots[i];
    ++found;
  }
  if (found == 1) return {};
  return Fail(Reason::kKeyTokenUnavailable, subject_, "one token of that label; it is waited for",
              labels.empty() ? "no token" : "tokens " + labels);
}

Result<void> Connection::Check() {
  CK_TOKEN_INFO info{};
  if (const CK_RV done = module_->C_GetTokenInfo(slot_, &info); done != CKR_OK) return Failed("C_GetTokenInfo", done);
  const auto session = TakeSession();
  if (!session) return tl::unexpected(session.error());
  CK_SESSION_INFO state{};
  const CK_RV done = module_->C_GetSessionInfo(*session, &state);
  GiveBack(*session);
  if (done != CKR_OK) return Failed("C_GetSessionInfo", done);
  if (state.state != CKS_RW_USER_FUNCTIONS) return Failed("C_GetSessionInfo", CKR_USER_NOT_LOGGED_IN);
  return {};
}

tl::unexpected<Error> Connection::Failed(std::string_view call, CK_RV value) {
  lost_ = lost_ || !IsRefusal(value);
  return Fail(Reason::kKeyTokenUnavailable, subject_, std::string(kExpectedToken), std::string(call) + ": " + Explain(value));
}

Result<CK_SESSION_HANDLE> Connection::TakeSession() {
  {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      const CK_SESSION_HANDLE session = idle_.back();
      idle_.pop_back();
      return session;
    }
  }
  CK_SESSION_HANDLE session = 0;
  const CK_RV done = module_->C_OpenSession(slot_, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session);
  if (done != CKR_OK) return Failed("C_OpenSession", done);
  return session;
}

void Connection::GiveBack(CK_SESSION_HANDLE session) {
  const std::scoped_lock lock(mutex_);
  idle_.push_back(session);
}

Result<Session> Session::Take(std::shared_ptr<Connection> connection) {
  const auto handle = connection->TakeSession();
  if (!handle) return tl::unexpected(handle.error());
  return Session(std::move(connection), *handle);
}

Session::~Session() {
  if (connection_ != nullptr) connection_->GiveBack(handle_);
}

}  // namespace idzone::signer::keys::token
