// SPDX-License-Identifier: MIT
#include "zone-signer/keys/token/module.h"

#include <dlfcn.h>

#include <cstdio>

namespace idzone::signer::keys::token {
namespace {

struct Meaning {
  CK_RV value;
  const char* text;
};

constexpr Meaning kMeanings[] = {
    {CKR_HOST_MEMORY, "CKR_HOST_MEMORY: no memory in this host"},
    {CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR: the module or its device failed"},
    {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED: the module or its device failed"},
    {CKR_CANT_LOCK, "CKR_CANT_LOCK: the module cannot be used by several threads"},
    {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR: the device failed; look at it"},
    {CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY: it is full; delete removed keys from it (idzone key list --all)"},
    {CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED: it is gone; bring it back"},
    {CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT: it is gone; bring it back"},
    {CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED: the slot holds something else"},
    {CKR_TOKEN_WRITE_PROTECTED, "CKR_TOKEN_WRITE_PROTECTED: it takes no new keys"},
    {CKR_SESSION_COUNT, "CKR_SESSION_COUNT: it has no session left; lower signing.threads or end other programs"},
    {CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID: it was gone in between"},
    {CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED: it was gone in between"},
    {CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN: it was gone in between, or somebody logged out"},
    {CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID: the key was deleted from it"},
    {CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID: the key was deleted from it"},
    {CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID: it cannot do the namespace's algorithm"},
    {CKR_CURVE_NOT_SUPPORTED, "CKR_CURVE_NOT_SUPPORTED: it cannot do the namespace's algorithm"},
    {CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT: another PIN"},
    {CKR_PIN_INVALID, "CKR_PIN_INVALID: another PIN"},
    {CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE: another PIN"},
    {CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED: a PIN that has to be changed"},
    {CKR_PIN_LOCKED, "CKR_PIN_LOCKED: too many wrong PINs; its security officer has to set the user PIN again"},
    {CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED: its security officer has not set a user PIN"},
};

}  // namespace

std::string Explain(CK_RV value) {
  for (const Meaning& meaning : kMeanings) {
    if (meaning.value == value) return meaning.text;
  }
  char text[32] = {};
  std::snprintf(text, sizeof text, "PKCS #11 error 0x%lx", static_cast<unsigned long>(value));
  return text;
}

Result<Module> Module::Load(const std::filesystem::path& file) {
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = dlerror();
    return Fail(Reason::kKeyFileInvalid, file.string(), "a PKCS #11 module that can be loaded", why == nullptr ? "another file" : why);
  }
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST_PTR functions = nullptr;
  if (get == nullptr || get(&functions) != CKR_OK || functions == nullptr || functions->version.major < 2)
    return Fail(Reason::kKeyFileInvalid, file.string(), "a PKCS #11 module of version 2 or later", "another library");
  return Module(functions);
}

CK_RV Module::Begin() const {
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  return functions_->C_Initialize(&arguments);
}

void Module::End() const {
  functions_->C_Finalize(nullptr);
}

}  // namespace idzone::signer::keys::token
