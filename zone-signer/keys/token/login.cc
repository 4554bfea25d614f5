// SPDX-License-Identifier: MIT
#include "zone-signer/keys/token/login.h"

#include "services/sealing/private_file.h"

namespace idzone::signer::keys::token {
namespace {

constexpr std::size_t kPinFileOctetsMax = 256;

tl::unexpected<Error> Unavailable(const std::string& subject, std::string expected, std::string met) {
  return Fail(Reason::kKeyTokenUnavailable, subject, std::move(expected), std::move(met));
}

/// What the token itself says about its user PIN, before one is tried.
Result<void> CheckFlags(CK_FLAGS flags, const std::string& subject) {
  if ((flags & CKF_USER_PIN_INITIALIZED) == 0) return Unavailable(subject, "a user PIN", Explain(CKR_USER_PIN_NOT_INITIALIZED));
  if ((flags & CKF_USER_PIN_LOCKED) != 0) return Unavailable(subject, "a user PIN that is not locked", Explain(CKR_PIN_LOCKED));
  if ((flags & CKF_USER_PIN_FINAL_TRY) != 0)
    return Unavailable(subject, "more than one try for the PIN",
                       "the last one before it locks itself; log in once by hand (pkcs11-tool --login)");
  return {};
}

/// The file's text without the end of its line.
OctetsView PinOf(const sealing::Secret& content) {
  OctetsView pin = content.view();
  while (!pin.empty() && (pin.back() == '\n' || pin.back() == '\r')) pin.remove_suffix(1);
  return pin;
}

}  // namespace

Result<void> Login::CheckFile() const {
  const auto content = sealing::ReadPrivateFile(pin_file_, kPinFileOctetsMax);
  if (!content) return tl::unexpected(content.error());
  if (PinOf(*content).empty()) return Fail(Reason::kKeyFileInvalid, pin_file_.string(), "a PIN", "an empty line");
  return {};
}

Result<void> Login::In(const Module& module, CK_SESSION_HANDLE session, CK_FLAGS token_flags, const std::string& subject) {
  if (auto checked = CheckFile(); !checked) return checked;
  const auto content = sealing::ReadPrivateFile(pin_file_, kPinFileOctetsMax);
  if (!content) return tl::unexpected(content.error());
  const OctetsView pin = PinOf(*content);
  const Octets digest = Sha256(pin);
  const std::string expected = "the PIN in " + pin_file_.string();
  if (digest == refused_) return Unavailable(subject, expected, "another PIN; it is tried again when the file has another one");
  if (auto checked = CheckFlags(token_flags, subject); !checked) return checked;
  // The API takes a pointer to what it does not change.
  auto* octets = reinterpret_cast<CK_UTF8CHAR_PTR>(const_cast<char*>(pin.data()));
  switch (const CK_RV done = module->C_Login(session, CKU_USER, octets, pin.size()); done) {
    case CKR_OK:
    case CKR_USER_ALREADY_LOGGED_IN: refused_.clear(); return {};
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE: refused_ = digest; [[fallthrough]];
    default: return Unavailable(subject, expected, Explain(done));
  }
}

}  // namespace idzone::signer::keys::token
