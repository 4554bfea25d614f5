// SPDX-License-Identifier: MIT
#include "services/rpc/error_mapping.h"

#include "idzone/v1/error.pb.h"
#include "idzone/v1/status.pb.h"

namespace idzone::rpc {
namespace {

constexpr char kDomain[] = "idzone";
constexpr std::uint16_t kReasonMax = 200;

/// Reads the UPPER_SNAKE spelling. A reason that this build does not know (a newer server's) stays a refusal of the
/// same code.
Reason ReasonFromName(std::string_view name, Reason unknown) {
  for (std::uint16_t number = 1; number <= kReasonMax; ++number) {
    const auto reason = static_cast<Reason>(number);
    if (ReasonName(reason) == name && (reason == Reason::kInternal || name != "INTERNAL")) return reason;
  }
  return unknown;
}

Reason NearestReason(int code) {
  switch (code) {
    case grpc::StatusCode::CANCELLED: return Reason::kCancelled;
    case grpc::StatusCode::DEADLINE_EXCEEDED: return Reason::kDeadline;
    case grpc::StatusCode::NOT_FOUND: return Reason::kNotFound;
    case grpc::StatusCode::ALREADY_EXISTS: return Reason::kAlreadyExists;
    case grpc::StatusCode::INVALID_ARGUMENT: return Reason::kValueMalformed;
    case grpc::StatusCode::OUT_OF_RANGE: return Reason::kValueOutOfRange;
    case grpc::StatusCode::RESOURCE_EXHAUSTED: return Reason::kLimitExceeded;
    case grpc::StatusCode::PERMISSION_DENIED: return Reason::kRoleMissing;
    case grpc::StatusCode::UNAUTHENTICATED: return Reason::kCertificateMissing;
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::ABORTED: return Reason::kUnavailable;
    default: return Reason::kInternal;
  }
}

void FillDetail(const Error& error, v1::ErrorDetail* detail) {
  detail->set_reason(std::string(ReasonName(error.reason)));
  detail->set_domain(kDomain);
  auto& metadata = *detail->mutable_metadata();
  if (!error.subject.empty()) metadata["field"] = error.subject;
  if (!error.expected.empty()) metadata["expected"] = error.expected;
  if (!error.met.empty()) metadata["met"] = error.met;
}

Error FromDetail(const v1::ErrorDetail& detail, int code) {
  const auto text = [&](const char* key) {
    const auto found = detail.metadata().find(key);
    return found == detail.metadata().end() ? std::string() : found->second;
  };
  return {ReasonFromName(detail.reason(), NearestReason(code)), text("field"), text("expected"), text("met")};
}

std::string MessageOf(const Error& error) {
  return std::string(ReasonName(error.reason)) + " " + error.Detail();
}

}  // namespace

grpc::StatusCode StatusCodeOf(Reason reason) {
  switch (reason) {
    case Reason::kUnavailable: return grpc::StatusCode::UNAVAILABLE;
    case Reason::kDeadline: return grpc::StatusCode::DEADLINE_EXCEEDED;
    case Reason::kCancelled: return grpc::StatusCode::CANCELLED;
    // An over-long argument does not become right by trying later, which RESOURCE_EXHAUSTED would suggest. (gRPC itself
    // says that for an over-long message.)
    case Reason::kLimitExceeded:
    case Reason::kUnknownField:
    case Reason::kNameMalformed:
    case Reason::kNameOutsideSuffix:
    case Reason::kIdMalformed:
    case Reason::kIdNotCarriedByLayout:
    case Reason::kZoneApexForbidden:
    case Reason::kMaterialMissing:
    case Reason::kMaterialMalformed:
    case Reason::kMaterialTrailingBytes:
    case Reason::kMaterialWrongKind:
    case Reason::kKeyTooWeak:
    case Reason::kKeyUnsupported:
    case Reason::kProofMismatch:
    case Reason::kProfileNeedsCertificate:
    case Reason::kRecordMalformed:
    case Reason::kRecordTypeForbidden:
    case Reason::kCertificateNotCa:
    case Reason::kEnumUnknown:
    case Reason::kValueOutOfRange:
    case Reason::kValueMissing:
    case Reason::kPageTokenInvalid:
    case Reason::kValueMalformed: return grpc::StatusCode::INVALID_ARGUMENT;
    case Reason::kNotFound: return grpc::StatusCode::NOT_FOUND;
    case Reason::kAlreadyExists:
    case Reason::kKeyConflict:
    case Reason::kKeyAlreadyBound:
    case Reason::kLabelConflict:
    case Reason::kIdIsDenialLabel: return grpc::StatusCode::ALREADY_EXISTS;
    case Reason::kIdentityRevoked:
    case Reason::kKeyRevoked:
    case Reason::kNamespaceNotReady:
    case Reason::kNamespaceKindMismatch:
    case Reason::kNameInQuarantine:
    case Reason::kIdentityNotRevoked:
    case Reason::kLastKey: return grpc::StatusCode::FAILED_PRECONDITION;
    case Reason::kCertificateMissing:
    case Reason::kCertificateExpired:
    case Reason::kCertificateUntrusted: return grpc::StatusCode::UNAUTHENTICATED;
    case Reason::kPrincipalUnknown:
    case Reason::kPrincipalDisabled:
    case Reason::kRoleMissing:
    case Reason::kNamespaceForeign: return grpc::StatusCode::PERMISSION_DENIED;
    case Reason::kInternal:
    case Reason::kSignatureInvalid:
    case Reason::kKeyNotPinned:
    case Reason::kVersionGap:
    case Reason::kDigestMismatch:
    case Reason::kEncodingMalformed:
    case Reason::kKeyFileInvalid:
    case Reason::kSchemaMismatch:
    case Reason::kKeyTokenUnavailable:
    case Reason::kClockDoubt: return grpc::StatusCode::INTERNAL;
  }
  return grpc::StatusCode::INTERNAL;
}

grpc::Status ToStatus(const Error& error) {
  const grpc::StatusCode code = StatusCodeOf(error.reason);
  v1::ErrorDetail detail;
  FillDetail(error, &detail);
  v1::RpcStatus status;
  status.set_code(static_cast<int>(code));
  status.set_message(MessageOf(error));
  status.add_details()->PackFrom(detail);
  return {code, status.message(), status.SerializeAsString()};
}

void ToItemError(const Error& error, v1::ItemError* item) {
  item->set_code(static_cast<int>(StatusCodeOf(error.reason)));
  item->set_message(MessageOf(error));
  FillDetail(error, item->mutable_detail());
}

Error ErrorFromStatus(const grpc::Status& status) {
  const int code = static_cast<int>(status.error_code());
  v1::RpcStatus rpc_status;
  v1::ErrorDetail detail;
  const bool readable = rpc_status.ParseFromString(status.error_details()) && rpc_status.details_size() > 0 &&
                        rpc_status.details(0).UnpackTo(&detail) && detail.domain() == kDomain;
  if (readable) return FromDetail(detail, code);
  return {NearestReason(code), "server", "", status.error_message()};
}

Error ErrorFromItem(const v1::ItemError& item) {
  return FromDetail(item.detail(), item.code());
}

}  // namespace idzone::rpc
