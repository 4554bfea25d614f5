// SPDX-License-Identifier: MIT
#include "services/rpc/message_check.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include <vector>

namespace idzone::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

Result<void> CheckEnum(const Message& message, const Reflection& reflection, const FieldDescriptor& field) {
  const int count = field.is_repeated() ? reflection.FieldSize(message, &field) : 1;
  for (int i = 0; i < count; ++i) {
    const int number = field.is_repeated() ? reflection.GetRepeatedEnumValue(message, &field, i) : reflection.GetEnumValue(message, &field);
    if (field.enum_type()->FindValueByNumber(number) == nullptr)
      return Fail(Reason::kEnumUnknown, field.name(), "a value of " + field.enum_type()->name(), std::to_string(number));
  }
  return {};
}

Result<void> CheckMessages(const Message& message, const Reflection& reflection, const FieldDescriptor& field) {
  if (!field.is_repeated()) return CheckKnown(reflection.GetMessage(message, &field));
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    if (auto known = CheckKnown(reflection.GetRepeatedMessage(message, &field, i)); !known) return known;
  }
  return {};
}

}  // namespace

// The recursion is as deep as the message types nest, which protobuf's own parser bounds at 100.
Result<void> CheckKnown(const Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const auto& unknown = reflection.GetUnknownFields(message);
  if (!unknown.empty())
    return Fail(Reason::kUnknownField, message.GetDescriptor()->name(), "only fields that the server knows",
                "field number " + std::to_string(unknown.field(0).number()));
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor& field = *descriptor->field(i);
    const bool is_enum = field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM;
    const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (!is_enum && !is_message) continue;
    const bool present = field.is_repeated() ? reflection.FieldSize(message, &field) > 0
                                             : (field.has_presence() ? reflection.HasField(message, &field) : true);
    if (!present) continue;
    if (auto known = is_enum ? CheckEnum(message, reflection, field) : CheckMessages(message, reflection, field); !known) return known;
  }
  return {};
}

}  // namespace idzone::rpc
