// SPDX-License-Identifier: MIT
#pragma once

#include "idzone/v1/zone_service.grpc.pb.h"
#include "services/rpc/call.h"

namespace idzone::store {
class Database;
struct ZoneRecord;
}  // namespace idzone::store

namespace idzone::provisioning {

/// idzone.v1.ZoneService.
class ZoneHandler final : public v1::ZoneService::Service {
 public:
  ZoneHandler(rpc::CallGate& gate, store::Database& database) : gate_(gate), database_(database) {}

  grpc::Status GetZone(grpc::ServerContext* context, const v1::GetZoneRequest* request, v1::GetZoneResponse* response) override;
  grpc::Status ListZones(grpc::ServerContext* context, const v1::ListZonesRequest* request, v1::ListZonesResponse* response) override;
  grpc::Status GetZoneStatus(grpc::ServerContext* context, const v1::GetZoneStatusRequest* request,
                             v1::GetZoneStatusResponse* response) override;
  grpc::Status TrustClock(grpc::ServerContext* context, const v1::TrustClockRequest* request, v1::TrustClockResponse* response) override;
  grpc::Status ExportZone(grpc::ServerContext* context, const v1::ExportZoneRequest* request,
                          grpc::ServerWriter<v1::ExportZoneResponse>* writer) override;

 private:
  Result<void> Export(const store::ZoneRecord& record, grpc::ServerWriter<v1::ExportZoneResponse>& writer);

  rpc::CallGate& gate_;
  store::Database& database_;
};

}  // namespace idzone::provisioning
