// SPDX-License-Identifier: MIT
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "services/rpc/call.h"

namespace idzone::rpc {

struct CallMetrics::Families {
  prometheus::Family<prometheus::Counter>& calls;
  prometheus::Family<prometheus::Histogram>& seconds;
};

namespace {

const prometheus::Histogram::BucketBoundaries kSeconds = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60};

}  // namespace

CallMetrics::CallMetrics(prometheus::Registry& registry)
    : families_(
          new Families{prometheus::BuildCounter().Name("idzone_rpc_calls_total").Help("Calls by method and outcome.").Register(registry),
                       prometheus::BuildHistogram().Name("idzone_rpc_seconds").Help("Duration of calls by method.").Register(registry)}) {}

CallMetrics::~CallMetrics() = default;

void CallMetrics::Observe(std::string_view method, std::string_view code, std::chrono::duration<double> duration) {
  const std::string method_label(method);
  families_->calls.Add({{"method", method_label}, {"outcome", std::string(code)}}).Increment();
  families_->seconds.Add({{"method", method_label}}, kSeconds).Observe(duration.count());
}

}  // namespace idzone::rpc
