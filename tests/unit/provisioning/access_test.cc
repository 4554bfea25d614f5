// SPDX-License-Identifier: MIT
#include "services/provisioning/access.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "idzone/v1/edge_service.pb.h"
#include "idzone/v1/enrollment_service.pb.h"
#include "idzone/v1/identity_service.pb.h"
#include "idzone/v1/key_service.pb.h"
#include "idzone/v1/namespace_service.pb.h"
#include "idzone/v1/operator_service.pb.h"
#include "idzone/v1/policy_service.pb.h"
#include "idzone/v1/zone_service.pb.h"

namespace idzone::provisioning {
namespace {

using rpc::Role;

const std::vector<const google::protobuf::FileDescriptor*> kFiles = {
    v1::Edge::descriptor()->file(),       v1::EnrollRequest::descriptor()->file(), v1::GetIdentityRequest::descriptor()->file(),
    v1::Operator::descriptor()->file(),   v1::Zone::descriptor()->file(),          v1::GetNamespaceRequest::descriptor()->file(),
    v1::SigningKey::descriptor()->file(), v1::Policy::descriptor()->file()};

std::set<std::string> MethodsOfTheProtos() {
  std::set<std::string> methods;
  for (const auto* file : kFiles) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m)
        methods.insert("/" + file->service(s)->full_name() + "/" + file->service(s)->method(m)->name());
    }
  }
  return methods;
}

/// Returns the comment above each rpc of a proto file, joined to one line, by method name.
std::map<std::string, std::string> CommentsOf(const std::string& proto) {
  std::ifstream file(std::string(IDZONE_SOURCE_DIR) + "/proto/" + proto);
  std::map<std::string, std::string> comments;
  std::string comment;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_match(line, match, std::regex(R"(\s*// ?(.*))")))
      comment += match[1].str() + " ";
    else if (std::regex_search(line, match, std::regex(R"(^\s*rpc (\w+)\()")))
      comments[match[1]] = std::exchange(comment, "");
    else
      comment.clear();
  }
  return comments;
}

TEST(AccessTest, EveryMethodHasExactlyOneRow) {
  std::set<std::string> rows;
  for (const auto& row : ProvisioningAccess().rows()) EXPECT_TRUE(rows.emplace(row.method).second) << row.method << " twice";

  EXPECT_EQ(rows, MethodsOfTheProtos());
}

TEST(AccessTest, RowsSayWhatTheProtosSay) {
  for (const auto* file : kFiles) {
    const auto comments = CommentsOf(file->name());
    for (const auto& [method, comment] : comments) {
      const auto* row = ProvisioningAccess().Find("/" + file->service(0)->full_name() + "/" + method);
      ASSERT_NE(row, nullptr) << method;
      const bool admin_alone = comment.find("Caller: role `admin`") != std::string::npos;
      const bool enroller_alone = comment.find("Caller: role `enroller`") != std::string::npos;
      const bool re_enroller_alone = comment.find("Caller: role `re-enroller`") != std::string::npos;
      EXPECT_EQ(row->roles.Has(Role::kReEnroller), !admin_alone && !enroller_alone) << method << ": " << comment;
      EXPECT_EQ(row->roles.Has(Role::kAdmin), !enroller_alone && !re_enroller_alone) << method << ": " << comment;
      EXPECT_EQ(row->roles.Has(Role::kEnroller), !admin_alone && !re_enroller_alone) << method << ": " << comment;
      EXPECT_EQ(row->roles.Has(Role::kAuditor), !admin_alone && !enroller_alone && !re_enroller_alone) << method << ": " << comment;
      EXPECT_FALSE(row->roles.Has(Role::kEdge)) << method;
    }
  }
}

}  // namespace
}  // namespace idzone::provisioning
