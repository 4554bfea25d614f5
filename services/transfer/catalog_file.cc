// SPDX-License-Identifier: MIT
#include "services/transfer/catalog_file.h"

#include <fstream>
#include <iterator>
#include <string>

#include "services/sealing/private_file.h"

namespace idzone::transfer {

Result<CatalogFile> CatalogFile::Open(std::filesystem::path file, const dns::Name& name, UnixTime now) {
  zone::Catalog catalog{name, 0, {}};
  if (std::error_code unknown; std::filesystem::exists(file, unknown)) {
    std::ifstream stream(file);
    const std::string content{std::istreambuf_iterator<char>(stream), {}};
    if (!stream) return Fail(Reason::kKeyFileInvalid, file.string(), "a file that can be read", "an error");
    auto read = zone::ParseCatalog(content);
    if (!read) return tl::unexpected(read.error());
    catalog.serial = read->serial;
    catalog.zones = std::move(read->zones);
  }
  catalog.serial = zone::NextCatalogSerial(catalog.serial, now);
  CatalogFile opened(std::move(file), {});
  if (auto written = opened.Write(std::move(catalog)); !written) return tl::unexpected(written.error());
  return opened;
}

Result<bool> CatalogFile::Add(const std::vector<dns::Name>& zones, UnixTime now) {
  zone::Catalog more = catalog_;
  if (!zone::AddZones(more, zones)) return false;
  more.serial = zone::NextCatalogSerial(more.serial, now);
  if (auto written = Write(std::move(more)); !written) return tl::unexpected(written.error());
  return true;
}

Result<void> CatalogFile::Write(zone::Catalog catalog) {
  if (auto written = sealing::WritePrivateFile(file_, zone::FormatCatalog(catalog)); !written) return written;
  // Nothing in it is secret, and the name server may run as another user.
  std::error_code failure;
  std::filesystem::permissions(file_, std::filesystem::perms(0644), failure);
  if (failure) return Fail(Reason::kKeyFileInvalid, file_.string(), "mode 0644", failure.message());
  catalog_ = std::move(catalog);
  return {};
}

}  // namespace idzone::transfer
