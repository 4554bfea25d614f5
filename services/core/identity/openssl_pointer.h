// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <memory>

#include "services/core/base/deleter.h"

/// OpenSSL's objects with their owners. Private to this folder.
namespace idzone::identity {

using X509Pointer = std::unique_ptr<X509, Deleter<X509_free>>;
using RequestPointer = std::unique_ptr<X509_REQ, Deleter<X509_REQ_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using KeyContextPointer = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using BioPointer = std::unique_ptr<BIO, Deleter<BIO_free>>;
using NumberPointer = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using ParamBuilderPointer = std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>>;
using ParamsPointer = std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM_free>>;

}  // namespace idzone::identity
