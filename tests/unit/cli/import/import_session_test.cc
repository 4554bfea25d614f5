// SPDX-License-Identifier: MIT
#include "cli/import/import_session.h"

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include "services/rpc/error_mapping.h"

namespace idzone::cli {
namespace {

/// A server in this process that keeps what it enrolled and misbehaves on command.
class FakeEnrollment : public v1::EnrollmentService::Service {
 public:
  grpc::Status EnrollStream(grpc::ServerContext* context,
                            grpc::ServerReaderWriter<v1::EnrollStreamResponse, v1::EnrollRequest>* stream) override {
    ++streams;
    if (refuse_stream) return rpc::ToStatus({Reason::kRoleMissing, "caller", "role enroller", "auditor"});
    v1::EnrollRequest request;
    std::uint64_t index = 0;
    while (stream->Read(&request)) {
      ++requests;
      labels.insert(request.label_privacy());
      if (gone) return {grpc::StatusCode::UNAVAILABLE, "gone on purpose"};
      if (mute) {
        while (!context->IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return grpc::Status::CANCELLED;
      }
      // Breaks with the item taken but not answered: the client cannot know.
      const bool breaks = break_at >= 0 && static_cast<std::int64_t>(requests) > break_at;
      if (breaks && take_before_break) enrolled.insert(request.id());
      if (breaks) {
        break_at = break_every ? static_cast<std::int64_t>(requests) + break_every : -1;
        return {grpc::StatusCode::UNAVAILABLE, "broken on purpose"};
      }
      v1::EnrollStreamResponse response;
      response.set_index(shift_index ? index + 1 : index);
      ++index;
      if (busy_times > 0 && request.id() == "device-3") {
        --busy_times;
        rpc::ToItemError({Reason::kUnavailable, "server", "room in the queue", "none"}, response.mutable_error());
      } else if (refused.contains(request.id())) {
        rpc::ToItemError({Reason::kIdentityRevoked, "id", "a device that is not revoked", request.id()}, response.mutable_error());
      } else {
        response.mutable_enrolled()->set_already_enrolled(!enrolled.insert(request.id()).second);
        auto& identity = *response.mutable_enrolled()->mutable_identity();
        identity.set_id(request.id());
        identity.set_owner_name(request.id() + ".z.");
        identity.set_change(1);
      }
      stream->Write(response);
    }
    return grpc::Status::OK;
  }

  std::set<std::string> enrolled;
  std::set<std::string> refused;
  std::set<int> labels;
  std::uint64_t requests = 0;
  int streams = 0;
  std::int64_t break_at = -1;  // the stream breaks at the request after so many
  std::int64_t break_every = 0;
  bool take_before_break = false;
  bool refuse_stream = false;
  bool shift_index = false;
  bool mute = false;
  bool gone = false;
  int busy_times = 0;
};

class ListSource : public ImportSource {
 public:
  explicit ListSource(int count) : count_(count) {}
  std::optional<ImportRecord> Next() override {
    if (next_ == count_) return std::nullopt;
    const int number = next_++;
    if (after) after(number);
    return ImportItem{.line = static_cast<std::uint64_t>(number) + 2,
                      .id = prefixes[static_cast<std::size_t>(number) % prefixes.size()] +
                            std::to_string(same_number || duplicate_of_first.contains(number) ? 0 : number),
                      .material = {MaterialForm::kCertificate, "x"},
                      .original = "original " + std::to_string(number)};
  }
  bool failed() const override { return false; }
  std::uint64_t octets_read() const override { return 0; }
  std::string FailedHeader() const override { return {}; }
  std::string FailedLine(const ImportFault&) const override { return {}; }

  std::set<int> duplicate_of_first;
  std::vector<std::string> prefixes = {"device-"};
  bool same_number = false;
  std::function<void(int)> after;

 private:
  int count_;
  int next_ = 0;
};

class ImportSessionTest : public testing::Test {
 protected:
  ImportSessionTest() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&fake_);
    server_ = builder.BuildAndStart();
    stub_ = v1::EnrollmentService::NewStub(server_->InProcessChannel({}));
  }

  tl::expected<void, Failure> Import(ListSource& source) {
    ImportSession session(*stub_, options_,
                          {.enrolled = [this](ImportResult result) { results_.push_back(result); },
                           .failed = [this](const ImportFault& fault) { faults_.push_back(fault); }});
    auto ran = session.Run(source, stop_.get_token());
    counts_ = session.counts();
    return ran;
  }

  /// Every item of the file stands in exactly one place.
  void ExpectEachOnce(int count) {
    std::vector<std::string> ids;
    for (const ImportResult& result : results_) ids.push_back(result.id);
    for (const ImportFault& fault : faults_) ids.push_back(fault.id);
    EXPECT_EQ(ids.size(), static_cast<std::size_t>(count));
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
  }

  FakeEnrollment fake_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::EnrollmentService::Stub> stub_;
  ImportOptions options_{.namespace_name = "z.",
                         .window = 4,
                         .attempts_max = 5,
                         .backoff_first = std::chrono::milliseconds(1),
                         .backoff_last = std::chrono::milliseconds(5),
                         .answer_timeout = std::chrono::milliseconds(300),
                         .stop_grace = std::chrono::milliseconds(300)};
  std::stop_source stop_;
  std::vector<ImportResult> results_;
  std::vector<ImportFault> faults_;
  ImportCounts counts_;
};

TEST_F(ImportSessionTest, EnrollsEveryItemOnOneStream) {
  ListSource source(100);

  ASSERT_TRUE(Import(source));

  ExpectEachOnce(100);
  EXPECT_EQ(counts_.enrolled, 100u);
  EXPECT_EQ(fake_.streams, 1);
  EXPECT_EQ(results_[5].line, 7u);
}

TEST_F(ImportSessionTest, AStreamBrokenAtAnyPositionLosesAndRepeatsNothing) {
  for (const bool taken : {false, true}) {
    for (std::int64_t position = 0; position <= 12; ++position) {
      fake_.enrolled.clear();
      fake_.requests = 0;
      fake_.break_at = position;
      fake_.take_before_break = taken;
      results_.clear();
      ListSource source(12);

      ASSERT_TRUE(Import(source)) << position;

      ExpectEachOnce(12);
      EXPECT_EQ(fake_.enrolled.size(), 12u);
      EXPECT_EQ(counts_.reconnections, position < 12 ? 1u : 0u);
    }
  }
}

TEST_F(ImportSessionTest, ProgressBetweenBreaksResetsTheAttempts) {
  fake_.break_at = 2;
  fake_.break_every = 3;
  ListSource source(60);

  ASSERT_TRUE(Import(source));

  ExpectEachOnce(60);
  EXPECT_GT(counts_.reconnections, 5u);
}

TEST_F(ImportSessionTest, AServerThatIsGoneEndsTheImportAfterBoundedAttempts) {
  fake_.gone = true;
  ListSource source(10);

  const auto ran = Import(source);

  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().exit_code, ExitCode::kUnreachable);
  EXPECT_EQ(counts_.reconnections, 4u);
}

TEST_F(ImportSessionTest, ARefusedStreamIsNotTriedAgain) {
  fake_.refuse_stream = true;
  ListSource source(10);

  const auto ran = Import(source);

  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().exit_code, ExitCode::kNotAllowed);
  EXPECT_EQ(ran.error().error.reason, Reason::kRoleMissing);
  EXPECT_EQ(fake_.streams, 1);
}

TEST_F(ImportSessionTest, RefusedItemsAreReportedAndTheStreamGoesOn) {
  fake_.refused = {"device-0", "device-7", "device-9"};
  ListSource source(10);

  ASSERT_TRUE(Import(source));

  ExpectEachOnce(10);
  ASSERT_EQ(faults_.size(), 3u);
  EXPECT_EQ(faults_[1].original, "original 7");
  EXPECT_EQ(faults_[1].line, 9u);
  EXPECT_EQ(counts_.failed_by_reason["IDENTITY_REVOKED"], 3u);
}

TEST_F(ImportSessionTest, AnItemThatTheServerCouldNotTakeIsSentAgain) {
  fake_.busy_times = 3;
  ListSource source(10);

  ASSERT_TRUE(Import(source));

  ExpectEachOnce(10);
  EXPECT_EQ(counts_.failed, 0u);
  EXPECT_EQ(counts_.reconnections, 3u);
}

TEST_F(ImportSessionTest, ASecondLineOfTheSameIdFails) {
  ListSource source(10);
  source.duplicate_of_first = {4, 8};

  ASSERT_TRUE(Import(source));

  EXPECT_EQ(results_.size(), 8u);
  ASSERT_EQ(faults_.size(), 2u);
  EXPECT_EQ(faults_[0].error.reason, Reason::kAlreadyExists);
  EXPECT_EQ(faults_[0].line, 6u);
}

TEST_F(ImportSessionTest, IdsThatDifferInCaseAreTheServersToJudge) {
  ListSource source(2);
  source.prefixes = {"Device-", "device-"};
  source.same_number = true;

  ASSERT_TRUE(Import(source));

  EXPECT_EQ(fake_.enrolled, (std::set<std::string>{"Device-0", "device-0"}));
}

TEST_F(ImportSessionTest, TheLabelPrivacyGoesWithEachItem) {
  options_.label_privacy = v1::LABEL_PRIVACY_PRIVATE;
  ListSource source(3);

  ASSERT_TRUE(Import(source));

  EXPECT_EQ(fake_.labels, std::set<int>{v1::LABEL_PRIVACY_PRIVATE});
}

TEST_F(ImportSessionTest, AServerThatAnswersWhatWasNotAskedIsNotBelieved) {
  fake_.shift_index = true;
  ListSource source(10);

  const auto ran = Import(source);

  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().exit_code, ExitCode::kOther);
  EXPECT_TRUE(results_.empty());
}

TEST_F(ImportSessionTest, ASilentServerIsGivenUp) {
  fake_.mute = true;
  options_.attempts_max = 2;
  ListSource source(10);

  const auto ran = Import(source);

  ASSERT_FALSE(ran);
  EXPECT_EQ(fake_.streams, 2);
}

TEST_F(ImportSessionTest, AStopEndsTheSendingAndKeepsTheAnswers) {
  ListSource source(1000);
  source.after = [this](int number) {
    if (number == 50) stop_.request_stop();
  };

  ASSERT_TRUE(Import(source));

  EXPECT_GE(results_.size(), 50u);
  EXPECT_LE(results_.size(), 52u);
  EXPECT_EQ(fake_.enrolled.size(), results_.size());
}

}  // namespace
}  // namespace idzone::cli
