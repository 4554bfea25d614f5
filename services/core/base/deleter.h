// SPDX-License-Identifier: MIT
#pragma once

namespace idzone {

/// The deleter of a C library's handle, made of its free function: std::unique_ptr<X509, Deleter<X509_free>>.
template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};

}  // namespace idzone
