// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/transfer_catalog.h"

#include <fstream>
#include <iterator>
#include <system_error>

namespace idzone::nameserver {

std::shared_ptr<const zone::Catalog> CatalogSource::Current() {
  const std::lock_guard lock(mutex_);
  std::error_code absent;
  // Each write of it is a new file, renamed into place.
  const auto written_at = std::filesystem::last_write_time(file_, absent);
  if (absent || written_at == read_at_) return catalog_;
  std::ifstream stream(file_);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  // Renamed but not yet readable for us: the next look will do.
  if (!stream.is_open()) return catalog_;
  read_at_ = written_at;
  auto read = zone::ParseCatalog(text);
  if (read) {
    catalog_ = std::make_shared<const zone::Catalog>(*std::move(read));
  } else {
    report_("nameserver.catalog_malformed " + file_.string() + " " + read.error().Detail());
  }
  return catalog_;
}

}  // namespace idzone::nameserver
