// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>

#include "cli/output/json.h"
#include "idzone/v1/namespace.pb.h"

/// How a namespace is spelled, in options and in every output.
namespace idzone::cli {

template <typename Enum>
using Spellings = std::map<std::string, Enum>;

extern const Spellings<v1::LayoutKind> kLayoutKinds;
extern const Spellings<v1::EnumForm> kEnumForms;
extern const Spellings<v1::LabelPrivacy> kLabelPrivacies;
extern const Spellings<v1::DenialKind> kDenialKinds;
extern const Spellings<v1::SigningAlgorithm> kSigningAlgorithms;

/// Returns it with what people and programs need of it.
Json NamespaceJson(const v1::Namespace& resource);

}  // namespace idzone::cli
