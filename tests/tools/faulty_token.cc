// SPDX-License-Identifier: MIT
// A PKCS #11 module for tests: SoftHSM's, but for the faults that a file tells, one a line, read at each call:
//   C_Login 0xa4      that function returns that value
//   flags 0x40000     the token says those flags, too
// FAULTY_TOKEN_FILE names the file; no file: no faults. Real tokens lock themselves, fill up and are pulled out; SoftHSM does not.
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace {

CK_FUNCTION_LIST real;
CK_FUNCTION_LIST ours;

/// Returns the number that the file tells for a word; 0: none.
CK_RV Told(const std::string& word) {
  const char* file = std::getenv("FAULTY_TOKEN_FILE");
  std::ifstream lines(file == nullptr ? "" : file);
  std::string name, value;
  while (lines >> name >> value) {
    if (name == word) return std::stoul(value, nullptr, 0);
  }
  return CKR_OK;
}

template <typename Real, typename... Arguments>
CK_RV Forward(const char* name, Real function, Arguments... arguments) {
  if (const CK_RV fault = Told(name); fault != CKR_OK) return fault;
  return function(arguments...);
}

CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG size) {
  return Forward("C_Login", real.C_Login, session, user, pin, size);
}

CK_RV GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info) {
  const CK_RV done = Forward("C_GetTokenInfo", real.C_GetTokenInfo, slot, info);
  if (done == CKR_OK) info->flags |= Told("flags");
  return done;
}

CK_RV GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR public_part, CK_ULONG public_count,
                      CK_ATTRIBUTE_PTR private_part, CK_ULONG private_count, CK_OBJECT_HANDLE_PTR public_key,
                      CK_OBJECT_HANDLE_PTR private_key) {
  return Forward("C_GenerateKeyPair", real.C_GenerateKeyPair, session, mechanism, public_part, public_count, private_part, private_count,
                 public_key, private_key);
}

CK_RV SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR attributes, CK_ULONG count) {
  return Forward("C_SetAttributeValue", real.C_SetAttributeValue, session, object, attributes, count);
}

CK_RV Sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG size, CK_BYTE_PTR signature, CK_ULONG_PTR signature_size) {
  return Forward("C_Sign", real.C_Sign, session, data, size, signature, signature_size);
}

}  // namespace

extern "C" CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
  void* library = dlopen(IDZONE_SOFTHSM, RTLD_NOW | RTLD_LOCAL);
  const auto get = library == nullptr ? nullptr : reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST_PTR found = nullptr;
  if (get == nullptr || get(&found) != CKR_OK) return CKR_GENERAL_ERROR;
  real = ours = *found;
  ours.C_Login = Login;
  ours.C_GetTokenInfo = GetTokenInfo;
  ours.C_GenerateKeyPair = GenerateKeyPair;
  ours.C_SetAttributeValue = SetAttributeValue;
  ours.C_Sign = Sign;
  *list = &ours;
  return CKR_OK;
}
