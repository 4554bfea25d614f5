// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "cli/material.h"

namespace CLI {
class App;
}

namespace idzone::cli {

/// The file that holds the key, under the option that says what it holds: exactly one is given.
struct MaterialOptions {
  std::string certificate;
  std::string certificate_request;
  std::string public_key;
  std::string ssh_key;
  std::string openpgp_key;
};

void AddMaterialOptions(CLI::App& command, MaterialOptions& options);

/// Reads the chosen file; what ReadMaterialFile says.
Result<Material> ReadMaterial(const MaterialOptions& options);

}  // namespace idzone::cli
