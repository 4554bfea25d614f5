// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "services/store/registry_record.h"

/// Page tokens: opaque to callers, and bound to the list that made them. A token holds the key of the last record that
/// was shown; it grants nothing, because each page is read with the caller's own rights.
namespace idzone::provisioning {

/// Which list: its method and everything that selects its records, for example {"ListIdentities", "_device.a.b.|1"}.
struct ListName {
  std::string_view method;
  std::string selection;
};

/// Returns hex of (8 octets of SHA-256 over list and key · key).
std::string MakePageToken(const ListName& list, OctetsView last_key);

/// Reads `page_size` (0: the default) and `page_token` (empty: the first page).
/// VALUE_OUT_OF_RANGE page_size over 1000; PAGE_TOKEN_INVALID a token of another list, or none of ours.
Result<store::PageOf> ReadPage(const ListName& list, std::uint32_t page_size, const std::string& page_token);

}  // namespace idzone::provisioning
