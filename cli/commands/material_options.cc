// SPDX-License-Identifier: MIT
#include "cli/commands/material_options.h"

#include <array>

#include <CLI/CLI.hpp>

#include "cli/input.h"

namespace idzone::cli {

void AddMaterialOptions(CLI::App& command, MaterialOptions& options) {
  CLI::Option_group* material = command.add_option_group("material", "The key; \"-\" reads standard input");
  material->add_option("--certificate", options.certificate, "File with its certificate, PEM or DER");
  material->add_option("--csr", options.certificate_request, "File with a certificate request of it, PEM or DER");
  material->add_option("--public-key", options.public_key, "File with the public key (SubjectPublicKeyInfo), PEM or DER");
  material->add_option("--ssh-key", options.ssh_key, "File with an OpenSSH public key (.pub)");
  material->add_option("--openpgp-key", options.openpgp_key, "File with an OpenPGP public key, armored or binary");
  material->require_option(1);
}

Result<Material> ReadMaterial(const MaterialOptions& options) {
  struct Choice {
    MaterialForm form;
    const std::string& file;
  };
  const std::array<Choice, 5> choices = {{{MaterialForm::kCertificate, options.certificate},
                                          {MaterialForm::kCertificateRequest, options.certificate_request},
                                          {MaterialForm::kPublicKey, options.public_key},
                                          {MaterialForm::kSshPublicKey, options.ssh_key},
                                          {MaterialForm::kOpenPgpKey, options.openpgp_key}}};
  for (const Choice& choice : choices) {
    if (choice.file.empty()) continue;
    Result<Octets> octets = ReadMaterialFile(choice.file);
    if (!octets) return tl::unexpected(octets.error());
    return Material{choice.form, *std::move(octets)};
  }
  return Fail(Reason::kMaterialMissing, "material", "the file of a key", "none");
}

}  // namespace idzone::cli
