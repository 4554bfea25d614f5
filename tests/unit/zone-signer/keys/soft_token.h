// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/sealing/temporary_directory.h"
#include "zone-signer/keys/token_keys.h"

namespace idzone::signer::keys {

/// A SoftHSM token in a folder of its own, and the faults of tests/tools/faulty_token.cc. One at a time in a process.
class SoftToken {
 public:
  static constexpr const char* kPin = "271828";

  SoftToken() {
    std::filesystem::create_directory(tokens());
    const auto configuration =
        folder_.Write("softhsm2.conf", "directories.tokendir = " + tokens().string() +
                                           "\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n");
    setenv("SOFTHSM2_CONF", configuration.c_str(), 1);
    setenv("FAULTY_TOKEN_FILE", faults().c_str(), 1);
    pin_file_ = folder_.Write("pin", std::string(kPin) + "\n");
    Initialize("zones");
  }

  void Initialize(const std::string& label) {
    const std::string command = "softhsm2-util --init-token --free --label " + label + " --pin " + kPin + " --so-pin 31415926 >" +
                                (folder_.path() / "out").string();
    if (std::system(command.c_str()) != 0) ADD_FAILURE() << "softhsm2-util could not make a token";
  }

  TokenOptions options() const { return {.module = IDZONE_FAULTY_TOKEN, .label = "zones", .pin_file = pin_file_}; }
  Result<TokenKeys> Open() const { return TokenKeys::Open(options()); }
  void WritePin(const std::string& pin) { folder_.Write("pin", pin); }
  void TellFault(const std::string& line) { folder_.Write("faults", line); }
  void TellNoFault() { std::filesystem::remove(faults()); }
  /// Nobody can find the token any more, and then they can.
  void TakeAway() { std::filesystem::rename(tokens(), folder_.path() / "away"); }
  void BringBack() { std::filesystem::rename(folder_.path() / "away", tokens()); }
  std::filesystem::path tokens() const { return folder_.path() / "tokens"; }
  const std::filesystem::path& pin_file() const { return pin_file_; }

 private:
  std::filesystem::path faults() const { return folder_.path() / "faults"; }

  sealing::TemporaryDirectory folder_;
  std::filesystem::path pin_file_;
};

}  // namespace idzone::signer::keys
