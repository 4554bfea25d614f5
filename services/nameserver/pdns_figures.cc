// SPDX-License-Identifier: GPL-2.0-only
#include "services/nameserver/pdns_figures.h"

#include "pdns/dns.hh"
#include "pdns/responsestats.hh"
#include "pdns/statbag.hh"

extern StatBag S;

namespace idzone::nameserver {
namespace {

using replica::Figure;
using replica::Index;

Figure FigureOf(std::uint8_t code) {
  switch (code) {
    case RCode::NoError: return Figure::kNoError;
    case RCode::NXDomain: return Figure::kNxDomain;
    case RCode::ServFail: return Figure::kServFail;
    case RCode::Refused: return Figure::kRefused;
    default: return Figure::kOtherCode;
  }
}

}  // namespace

void ReadPdnsFigures(replica::Figures& figures) {
  for (const auto& [code, count] : g_rs.getRCodeResponseCounts()) figures[Index(FigureOf(code))] += count;
  figures[Index(Figure::kUdpAnswers)] = S.read("udp-answers");
  figures[Index(Figure::kTcpAnswers)] = S.read("tcp-answers");
  figures[Index(Figure::kCacheHits)] = S.read("packetcache-hit");
  figures[Index(Figure::kCacheMisses)] = S.read("packetcache-miss");
  figures[Index(Figure::kCacheEntries)] = S.read("packetcache-size");
}

}  // namespace idzone::nameserver
