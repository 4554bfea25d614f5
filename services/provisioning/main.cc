// SPDX-License-Identifier: MIT
#include "services/provisioning/service.h"

int main(int argc, char** argv) {
  using namespace idzone;
  return process::RunDaemon(argc, argv, {.program = "idzone-provisiond", .keys = provisioning::ConfigKeys(), .run = provisioning::Run});
}
