// SPDX-License-Identifier: MIT
#include "cli/completion.h"

#include <cstdio>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <CLI/CLI.hpp>

#include "cli/app.h"
#include "cli/session.h"

namespace idzone::cli {
namespace {

class CompletionTest : public testing::Test {
 protected:
  CompletionTest() : session_(out_, err_), app_("", "idzone") { BuildApp(app_, session_); }

  /// Returns what bash offers behind the words.
  std::string BashOffers(const std::string& words, const std::string& current) {
    const std::string file = testing::TempDir() + "completion_test.bash";
    std::ofstream(file) << CompletionScript(Shell::kBash, app_);
    const std::string command = "bash -c 'source " + file + "; COMP_WORDS=(idzone " + words + " \"" + current +
                                "\"); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _idzone; echo \"${COMPREPLY[*]}\"'";
    FILE* pipe = popen(command.c_str(), "r");
    std::string offers;
    char buffer[4096];
    while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) offers += buffer;
    EXPECT_EQ(pclose(pipe), 0);
    if (!offers.empty() && offers.back() == '\n') offers.pop_back();
    return offers;
  }

  std::ostringstream out_;
  std::ostringstream err_;
  Session session_;
  CLI::App app_;
};

TEST_F(CompletionTest, BashOffersNounsVerbsAndOptions) {
  EXPECT_EQ(BashOffers("", "na"), "namespace");
  EXPECT_EQ(BashOffers("device", "re"), "re-enroll retire-key revoke");
  EXPECT_EQ(BashOffers("device enroll", "--ce"), "--certificate");
  EXPECT_EQ(BashOffers("device import _device.a.example", "--fa"), "--failed");
  EXPECT_EQ(BashOffers("--output json zone", "ex"), "export");
  EXPECT_EQ(BashOffers("namespace ca", "s"), "set");
  EXPECT_EQ(BashOffers("namespace ca set", "--fu"), "--full");
}

TEST_F(CompletionTest, BashOffersGlobalOptionsBehindCommands) {
  EXPECT_EQ(BashOffers("zone show", "--out"), "--output");
}

TEST_F(CompletionTest, EveryShellKnowsEveryCommand) {
  for (const Shell shell : {Shell::kBash, Shell::kZsh, Shell::kFish}) {
    const std::string script = CompletionScript(shell, app_);
    for (const char* path : {"operator create", "principal disable", "namespace create", "device import", "user enroll", "service add-key",
                             "mailbox import", "namespace ca remove", "zone ds", "edge add", "completion"})
      EXPECT_NE(script.find(path), std::string::npos) << path;
  }
}

TEST_F(CompletionTest, FishMarksOptionsThatTakeAValue) {
  const std::string script = CompletionScript(Shell::kFish, app_);

  EXPECT_NE(script.find("-l 'csr' -r -d"), std::string::npos);
  EXPECT_NE(script.find("-l 'wait' -d"), std::string::npos);
}

}  // namespace
}  // namespace idzone::cli
