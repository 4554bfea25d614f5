// SPDX-License-Identifier: MIT
#include "cli/app.h"

#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace idzone::cli {
namespace {

struct Ended {
  ExitCode code;
  std::string out;
  std::string err;
};

Ended Idzone(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "idzone");
  std::ostringstream out;
  std::ostringstream err;
  const ExitCode code = RunProgram(static_cast<int>(arguments.size()), arguments.data(), out, err);
  return {code, out.str(), err.str()};
}

TEST(AppTest, SaysItsVersion) {
  const Ended run = Idzone({"--version"});

  EXPECT_EQ(run.code, ExitCode::kOk);
  EXPECT_EQ(run.out.rfind("idzone ", 0), 0u);
}

TEST(AppTest, HelpGoesToStandardOutput) {
  const Ended run = Idzone({"device", "import", "--help"});

  EXPECT_EQ(run.code, ExitCode::kOk);
  EXPECT_NE(run.out.find("certificate_file"), std::string::npos);
}

TEST(AppTest, WrongUsageIsTwo) {
  EXPECT_EQ(Idzone({}).code, ExitCode::kUsage);
  EXPECT_EQ(Idzone({"devise"}).code, ExitCode::kUsage);
  EXPECT_EQ(Idzone({"device", "enroll", "_device.a.example", "x"}).code, ExitCode::kUsage);
  EXPECT_EQ(Idzone({"device", "enroll", "_device.a.example", "x", "--csr", "a", "--certificate", "b"}).code, ExitCode::kUsage);
  EXPECT_EQ(Idzone({"user", "enroll", "_user.a.example", "x", "--csr", "a", "--ssh-key", "b"}).code, ExitCode::kUsage);
  EXPECT_EQ(Idzone({"user", "enroll", "_user.a.example", "x", "--ssh-key", "b", "--label", "chosen"}).code, ExitCode::kUsage);
  EXPECT_EQ(Idzone({"mailbox", "enroll", "_openpgpkey.a.example", "x", "--openpgp-key", "b", "--label", "clear"}).code, ExitCode::kUsage);
  EXPECT_EQ(Idzone({"namespace", "create", "_user.a.example", "--ns", "ns.b.example", "--layout", "enum", "--form", "e163"}).code,
            ExitCode::kUsage);
  EXPECT_EQ(Idzone({"--output", "xml", "zone", "list"}).code, ExitCode::kUsage);
  EXPECT_EQ(Idzone({"namespace", "create", "_device.a.example"}).code, ExitCode::kUsage);
}

TEST(AppTest, AMissingFileIsFoundBeforeAnythingIsSent) {
  const Ended run = Idzone({"device", "enroll", "_device.a.example", "x", "--certificate", "/nowhere/c.pem"});

  EXPECT_EQ(run.code, ExitCode::kUsage);
  EXPECT_NE(run.err.find("/nowhere/c.pem"), std::string::npos);
}

TEST(AppTest, EveryKindOfMaterialNamesItsFile) {
  for (const char* option : {"--certificate", "--csr", "--public-key", "--ssh-key", "--openpgp-key"}) {
    const Ended run = Idzone({"user", "add-key", "_user.a.example", "ada", option, "/nowhere/key"});

    EXPECT_EQ(run.code, ExitCode::kUsage) << option;
    EXPECT_NE(run.err.find("/nowhere/key"), std::string::npos) << option;
  }
}

TEST(AppTest, AServiceNeedsNoId) {
  const Ended run = Idzone({"service", "enroll", "_smtp-client.host.a.example", "--certificate", "/nowhere/c.pem"});

  EXPECT_NE(run.err.find("cannot enroll @ in _smtp-client.host.a.example"), std::string::npos) << run.err;
  EXPECT_EQ(Idzone({"service", "enroll", "_smtp-client.host.a.example", "id", "--certificate", "c"}).code, ExitCode::kUsage);
}

TEST(AppTest, AFingerprintIs64HexDigits) {
  for (const std::string& fingerprint : {std::string(62, 'a'), std::string(63, 'a'), std::string(66, 'a'), std::string(64, 'g')}) {
    const Ended run = Idzone({"device", "retire-key", "_device.a.example", "x", fingerprint.c_str()});

    EXPECT_EQ(run.code, ExitCode::kUsage) << fingerprint;
    EXPECT_NE(run.err.find("FINGERPRINT"), std::string::npos) << run.err;
  }
}

TEST(AppTest, ErrorsAreJsonWhenTheOutputIs) {
  const Ended run = Idzone({"device", "enroll", "_device.a.example", "x", "--certificate", "/nowhere/c.pem", "--output", "json"});

  const auto error = nlohmann::json::parse(run.err)["error"];
  EXPECT_EQ(error["reason"], "NOT_FOUND");
  EXPECT_EQ(error["field"], "/nowhere/c.pem");
  EXPECT_EQ(error["exit_code"], 2);
}

TEST(AppTest, VerifyComparesAKeyWithRecordsThatCanHoldIt) {
  EXPECT_EQ(Idzone({"verify", "x.a.example", "--type", "sshfp", "--certificate", "/nowhere/c"}).code, ExitCode::kUsage);
  EXPECT_NE(Idzone({"verify", "x.a.example", "--type", "sshfp", "--certificate", "/nowhere/c"}).err.find("--type"), std::string::npos);
  EXPECT_NE(Idzone({"verify", "x.a.example", "--type", "smimea", "--certificate", "/nowhere/c"}).err.find("/nowhere/c"), std::string::npos);
  EXPECT_EQ(Idzone({"verify", "x.a.example", "--ssh-key", "a", "--certificate", "b"}).code, ExitCode::kUsage);
}

TEST(AppTest, AnOfferedSshKeyIsNeverShown) {
  const char* key = "AAAAC3NzaC1lZDI1NTE5AAAAIJPYskEkySr3z6byIV4nc2v4oEE8d04vOllOoLB9A0NO";
  const std::vector<std::vector<const char*>> calls = {
      {"ssh", "authorized-keys", "ada", "ssh-ed25519", key, "--users", "/nowhere/users"},
      {"ssh", "authorized-keys", "ada", "ssh-rsa", key},
      {"ssh", "authorized-keys", "ada", "sk-ssh-ed25519@openssh.com", key},
      {"ssh", "authorized-keys", "ada", "ssh-ed25519", "extra", key},
      {"ssh", "authorized-keys", "ada", "ssh-ed25519", "extra", "--output", "json", key},
  };
  for (const auto& call : calls) {
    const Ended run = Idzone(call);

    EXPECT_NE(run.code, ExitCode::kOk);
    EXPECT_EQ(run.out, "");
    EXPECT_EQ(run.err.find("AAAAC3"), std::string::npos) << run.err;
    EXPECT_NE(run.err, "");
  }
}

TEST(AppTest, VerifyRefusesABrokenAnchorFile) {
  const Ended run = Idzone({"verify", "x._device.a.example", "--trust-anchor", "/nowhere/anchor", "--resolver", "127.0.0.1@1"});

  EXPECT_EQ(run.code, ExitCode::kUsage);
  EXPECT_NE(run.err.find("NOT_FOUND"), std::string::npos);
}

}  // namespace
}  // namespace idzone::cli
