// SPDX-License-Identifier: MIT
#include "cli/import/source.h"

#include <fstream>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

namespace idzone::cli {
namespace {

struct Read {
  std::vector<ImportItem> items;
  std::vector<ImportFault> faults;
  std::string failed;  // the file of failed records
};

Read ReadAll(const std::string& text, ImportFormat format, const std::filesystem::path& base = "") {
  std::istringstream stream(text);
  const auto source = OpenImportSource(stream, {.format = format, .base = base}).value();
  Read read;
  while (auto record = source->Next()) {
    if (auto* item = std::get_if<ImportItem>(&*record)) {
      read.items.push_back(*item);
    } else {
      read.faults.push_back(std::get<ImportFault>(*record));
    }
  }
  if (const std::string header = source->FailedHeader(); !header.empty()) read.failed = header + "\n";
  for (const ImportFault& fault : read.faults) read.failed += source->FailedLine(fault) + "\n";
  return read;
}

constexpr char kPem[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

TEST(CsvSourceTest, TakesColumnsInAnyOrderAndCarriesOthersOver) {
  const Read read = ReadAll("Model,CSR,id,public_key\nX1,,a,AAAA\nX2,\"" + std::string(kPem) + "\",b,\n", ImportFormat::kCsv);

  ASSERT_EQ(read.items.size(), 2u);
  EXPECT_EQ(read.items[0].id, "a");
  EXPECT_EQ(read.items[0].material.form, MaterialForm::kPublicKey);
  EXPECT_EQ(read.items[0].material.octets, std::string(3, '\0'));
  EXPECT_EQ(read.items[0].original, "X1,,a,AAAA");
  EXPECT_EQ(read.items[1].material.form, MaterialForm::kCertificateRequest);
  EXPECT_EQ(read.items[1].material.octets, kPem);
}

TEST(CsvSourceTest, ReadsMaterialFilesFromTheBaseFolder) {
  const std::filesystem::path base = testing::TempDir();
  std::ofstream(base / "source_test.pem") << kPem;

  const Read read = ReadAll("id,certificate_file\na,source_test.pem\nb,absent.pem\n", ImportFormat::kCsv, base);

  ASSERT_EQ(read.items.size(), 1u);
  EXPECT_EQ(read.items[0].material.octets, kPem);
  ASSERT_EQ(read.faults.size(), 1u);
  EXPECT_EQ(read.faults[0].error.reason, Reason::kNotFound);
}

TEST(CsvSourceTest, TakesSshAndOpenPgpKeysAsTextAndAsFiles) {
  const std::filesystem::path base = testing::TempDir();
  std::ofstream(base / "source_test.pub") << "ssh-ed25519 AAAA ada\n";
  std::ofstream(base / "source_test.pgp") << "\x99\x01";

  const Read read = ReadAll(
      "id,ssh_public_key,ssh_public_key_file,openpgp_key,openpgp_key_file\n"
      "a,ssh-rsa AAAA a comment,,,\n"
      "b,,source_test.pub,,\n"
      "c,,,\"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\",\n"
      "d,,,AAAA,\n"
      "e,,,,source_test.pgp\n",
      ImportFormat::kCsv, base);

  ASSERT_EQ(read.items.size(), 5u);
  EXPECT_EQ(read.items[0].material.form, MaterialForm::kSshPublicKey);
  EXPECT_EQ(read.items[0].material.octets, "ssh-rsa AAAA a comment");
  EXPECT_EQ(read.items[1].material.octets, "ssh-ed25519 AAAA ada\n");
  EXPECT_EQ(read.items[2].material.form, MaterialForm::kOpenPgpKey);
  EXPECT_EQ(read.items[2].material.octets, "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA");
  EXPECT_EQ(read.items[3].material.octets, std::string(3, '\0'));
  EXPECT_EQ(read.items[4].material.form, MaterialForm::kOpenPgpKey);
  EXPECT_EQ(read.items[4].material.octets, "\x99\x01");
}

TEST(CsvSourceTest, IdsAreTheServersToJudgeOnceTheyAreText) {
  const Read read = ReadAll("id,csr\nada@work (mobile),AAAA\n+44 1632 960083,AAAA\n" + std::string(200, 'x') + ",AAAA\n" +
                                std::string(201, 'x') + ",AAAA\n\xc3(,AAAA\n",
                            ImportFormat::kCsv);

  EXPECT_EQ(read.items.size(), 3u);
  ASSERT_EQ(read.faults.size(), 2u);
  EXPECT_EQ(read.faults[0].error.reason, Reason::kIdMalformed);
  EXPECT_EQ(read.faults[1].error.reason, Reason::kIdMalformed);
}

TEST(CsvSourceTest, RefusesAFileWithoutUsableHeader) {
  const auto open = [](const std::string& text) {
    std::istringstream stream(text);
    const auto source = OpenImportSource(stream, {.format = ImportFormat::kCsv, .base = ""});
    return source ? Reason::kInternal : source.error().reason;
  };
  EXPECT_EQ(open(""), Reason::kValueMissing);
  EXPECT_EQ(open("sensor1,AAAA\n"), Reason::kValueMissing);
  EXPECT_EQ(open("id,model\n"), Reason::kValueMissing);
  EXPECT_EQ(open("id,id,certificate\n"), Reason::kValueMalformed);
  EXPECT_EQ(open("id,\"certificate\n"), Reason::kValueMalformed);
}

TEST(CsvSourceTest, BrokenRecordsAreTheirOwnFaults) {
  const Read read =
      ReadAll("id,certificate,csr\na,AAAA,\n,AAAA,\nb,,\nc,AAAA,AAAA\nd,??,\ne,AAAA\nf\xff,AAAA,\ng,AAAA,\n", ImportFormat::kCsv);

  EXPECT_EQ(read.items.size(), 2u);
  ASSERT_EQ(read.faults.size(), 6u);
  EXPECT_EQ(read.faults[0].error.reason, Reason::kValueMissing);
  EXPECT_EQ(read.faults[0].line, 3u);
  EXPECT_EQ(read.faults[1].error.reason, Reason::kMaterialMissing);
  EXPECT_EQ(read.faults[2].error.reason, Reason::kValueMalformed);
  EXPECT_EQ(read.faults[3].error.reason, Reason::kMaterialMalformed);
  EXPECT_EQ(read.faults[4].error.reason, Reason::kValueMalformed);
  EXPECT_EQ(read.faults[4].line, 7u);
  EXPECT_EQ(read.faults[5].error.reason, Reason::kIdMalformed);
}

TEST(CsvSourceTest, TheFailedFileIsAnImportFileAgain) {
  const Read first = ReadAll("id,model,certificate\na,\"m,1\",??\n\"b\"x,m,AAAA\n", ImportFormat::kCsv);
  ASSERT_EQ(first.faults.size(), 2u);

  const Read second = ReadAll(first.failed, ImportFormat::kCsv);

  ASSERT_EQ(second.faults.size(), 2u);
  EXPECT_EQ(second.faults[0].id, "a");
  EXPECT_EQ(second.faults[0].original, "a,\"m,1\",??");
  EXPECT_EQ(second.faults[0].error.reason, Reason::kMaterialMalformed);
  EXPECT_EQ(second.faults[1].error.reason, Reason::kValueMissing);
  // The columns of the first round are not carried over into the third.
  EXPECT_EQ(second.failed.substr(0, second.failed.find('\n')), "id,model,certificate,error_line,error_reason,error_detail,error_text");
}

TEST(JsonLinesSourceTest, ReadsObjectsAndReportsTheRest) {
  const Read read = ReadAll(
      "{\"id\":\"a\",\"certificate\":\"-----BEGIN X\\n\",\"model\":7}\n"
      "\n"
      "{\"id\":\"b\",\n"
      "[1]\n"
      "{\"id\":7,\"certificate\":\"AAAA\"}\n"
      "{\"certificate\":\"AAAA\"}\n"
      "{\"id\":\"c\",\"public_key\":\"AAAA\",\"csr\":null}\n",
      ImportFormat::kJsonLines);

  ASSERT_EQ(read.items.size(), 2u);
  EXPECT_EQ(read.items[0].material.octets, "-----BEGIN X\n");
  EXPECT_EQ(read.items[1].material.form, MaterialForm::kPublicKey);
  ASSERT_EQ(read.faults.size(), 4u);
  EXPECT_EQ(read.faults[0].line, 3u);
  EXPECT_EQ(read.faults[0].text, "{\"id\":\"b\",");
  EXPECT_EQ(read.faults[3].error.reason, Reason::kValueMissing);
}

TEST(JsonLinesSourceTest, SurvivesDeepNestingBadUtf8AndOverlongLines) {
  const Read read = ReadAll(std::string(60'000, '[') + "\n{\"id\":\"\xff\",\"certificate\":\"AAAA\"}\n{\"x\":\"" +
                                std::string(70'000, 'x') + "\"}\n{\"id\":\"a\",\"certificate\":\"AAAA\"}\n",
                            ImportFormat::kJsonLines);

  EXPECT_EQ(read.items.size(), 1u);
  EXPECT_EQ(read.faults.size(), 3u);
}

TEST(JsonLinesSourceTest, TheFailedFileIsAnImportFileAgain) {
  const Read first = ReadAll("{\"id\":\"a\",\"model\":\"m\",\"certificate\":\"??\"}\nnonsense\n", ImportFormat::kJsonLines);

  const Read second = ReadAll(first.failed, ImportFormat::kJsonLines);

  ASSERT_EQ(second.faults.size(), 2u);
  EXPECT_EQ(second.faults[0].original, "{\"id\":\"a\",\"model\":\"m\",\"certificate\":\"??\"}");
  EXPECT_EQ(second.faults[1].error.reason, Reason::kValueMissing);
}

TEST(ImportFormatTest, ComesFromTheFileName) {
  EXPECT_EQ(FormatOfFileName("a.CSV"), ImportFormat::kCsv);
  EXPECT_EQ(FormatOfFileName("a.ndjson"), ImportFormat::kJsonLines);
  EXPECT_EQ(FormatOfFileName("a.pem"), std::nullopt);
}

}  // namespace
}  // namespace idzone::cli
