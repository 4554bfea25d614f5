// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <random>
#include <set>
#include <sstream>

#include "tests/tools/aging_zone.h"
#include "zone-signer/rollover/schedule.h"

/// A world in which keys roll: zones, edges, foreign secondaries, a parent, and caches that hold the oldest data that they
/// legally may. Time is simulated; chance comes from a seed. After each change every combination of what some cache may
/// hold is judged: DS x DNSKEY, DNSKEY x signatures of data. Meanwhile signatures grow old and are renewed: each must have left what the
/// policy promises, less the time for which the signer is down. It is, for as long as the policy tolerates (zone::LeastRest), again and
/// again.
namespace idzone::signer::rollover {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct WorldOptions {
  std::uint64_t seed = 1;
  Style style = Style::kAllKeys;
  seconds length = hours(24 * 365 * 10);
  bool emergencies = true;
  bool parent_can_be_asked = true;
  /// A machine that is told of no TTLs and no delays: the world must find it out.
  bool machine_is_told_nothing = false;
  /// Rolls begin by the schedule of a policy, in the styles that it chooses, and not at will.
  bool by_schedule = false;
  /// Outages are up to so many times what the policy tolerates; the world must find out more than one.
  int outages_tolerated = 1;
  /// The signer renews as if by a policy whose periods are so many times as long: the world must find out more than one.
  int sweeps_late = 1;
  /// The parent never does what it is told: the world must find out rolls that do not end.
  bool parent_is_deaf = false;
};

/// What the world saw, for reports.
struct WorldReport {
  std::uint64_t steps = 0;
  std::uint64_t judged = 0;  // combinations
  int rolls_finished = 0;
  int emergencies = 0;
  int emergencies_that_followed = 0;  // of these: those that waited for the end of another roll
  int scheduled = 0;
  int outages = 0;
  seconds longest_outage{0};
  double least_rest = 1;  // of any signature while the signer is up, in lives of an identity's
  std::set<Phase> phases;
  std::vector<std::string> failures;
};

class World {
 public:
  explicit World(const WorldOptions& options) : options_(options), random_(options.seed) {
    longest_ds_ = options.parent_can_be_asked && Chance(0.5) ? hours(48) : hours(24);
    ttls_ = PickTtls();
    delays_ = {Pick({seconds(0), minutes(10), hours(5)}), Pick({seconds(0), hours(1), hours(12)})};
    told_ = options.machine_is_told_nothing ? Delays{} : delays_;
    resign_ = Pick({hours(1), hours(24), hours(72)});
    policy_ = pipeline::AnyPolicy(resign_, random_);
    signatures_.emplace(pipeline::Late(policy_, options.sweeps_late), options.seed, now_);
    const bool split = options.style == Style::kZskPrePublish || options.style == Style::kKskDoubleSignature ||
                       options.style == Style::kKskDoubleDs || (options.style != Style::kAllKeys && Chance(0.5));
    const std::uint8_t algorithm = Chance(0.5) ? 13 : 15;
    for (const zone::KeyRole role : split ? std::vector{zone::KeyRole::kKsk, zone::KeyRole::kZsk} : std::vector{zone::KeyRole::kCsk})
      state_.keys.push_back({.id = NewId(),
                             .role = role,
                             .algorithm = algorithm,
                             .state = zone::KeyState::kActive,
                             .uses = zone::AllUses(role),
                             .part = Part::kNone});
    lives_ = {Pick({hours(24 * 60), hours(24 * 120)}), split ? Pick({hours(24 * 15), hours(24 * 40)}) : seconds(0)};
    schedule_ = ScheduleFrom(state_.keys, lives_, now_);
    parent_ = Wanted();
    dnskey_.push_back({now_, {}, ttls_.keys, KeysShown()});
    data_.push_back({now_, {}, ttls_.data, DataSigners()});
    external_.push_back({now_, {}, ttls_.ds, parent_});
    cuts_.push_back({now_, {}, ttls_.data, Wanted()});
  }

  WorldReport Run() {
    const UnixTime end = now_ + options_.length;
    UnixTime next_roll = now_ + Spread(hours(24 * 30));
    while (now_ < end && report_.failures.size() < 5) {
      ++report_.steps;
      if (options_.by_schedule) {
        BeginWhatIsDue();
      } else if (!state_.roll && now_ >= next_roll) {
        Begin_(options_.style, false);
        next_roll = now_ + Spread(hours(24 * 90));
      }
      if (options_.emergencies && Chance(state_.roll ? 0.0002 : 0.0001)) {
        if (Begin_(Style::kAllKeys, true)) ++report_.emergencies;
      }
      if (Chance(0.0005)) ChangeTtls();
      MoveParent();
      if (now_ >= signer_down_until_) {
        SignerTurn();
        if (Chance(0.001)) StopSigner();
      }
      if (state_.roll && now_ - moved_at_ > kRestMax) {
        Fail_("a roll does not move on");
        break;
      }
      // Nothing happens between rolls: sleep until the next.
      PassTime(state_.roll || !Settled() ? Spread(std::max<seconds>(minutes(2), resign_ / 20)) : Spread(hours(24)));
    }
    return report_;
  }

  const RollState& state() const { return state_; }

 private:
  /// Of sweep steps: times are whole seconds.
  static constexpr seconds kRounding{2};
  /// parent.ds_ttl_seconds, as it is unless somebody changes it. A parent with longer TTLs is seen to have them, unless it lowers them
  /// before a roll begins: these worlds have none that does.
  static constexpr seconds kDsTtlTaken = hours(24);
  /// Of a roll in one phase: far more than outages, sweeps, caches and the slowest parent take together.
  static constexpr seconds kRestMax = hours(24 * 180);

  struct KeyShown {
    Octets id;
    std::uint8_t algorithm;
    bool signs;
    auto operator<=>(const KeyShown&) const = default;
  };
  using Shown = std::set<KeyShown>;
  /// Some RRset as servers showed it. `gone`: no server shows it any more; caches may, for its TTL.
  struct Version {
    UnixTime begin;
    std::optional<UnixTime> gone;
    seconds ttl;
    Shown content;
  };

  seconds Pick(std::initializer_list<seconds> list) {
    return *(list.begin() + std::uniform_int_distribution<std::size_t>(0, list.size() - 1)(random_));
  }
  LongestTtls PickTtls() {
    return {Pick({minutes(10), hours(1), hours(24)}), Pick({minutes(1), minutes(5), hours(1)}),
            longest_ds_ == kDsTtlTaken ? Pick({minutes(5), hours(1), kDsTtlTaken}) : longest_ds_};
  }
  bool Chance(double p) { return std::bernoulli_distribution(p)(random_); }
  seconds Spread(seconds most) {
    return seconds(std::uniform_int_distribution<std::int64_t>(1, std::max<std::int64_t>(1, most.count()))(random_));
  }
  Octets NewId() { return Sha256(std::to_string(++keys_made_)); }

  Shown Select(bool zone::KeyUses::*use, bool zone::KeyUses::*signs) const {
    Shown shown;
    for (const RolledKey& key : state_.keys) {
      if (key.uses.*use) shown.insert({key.id, key.algorithm, key.uses.*signs});
    }
    return shown;
  }
  Shown KeysShown() const { return Select(&zone::KeyUses::in_dnskey, &zone::KeyUses::signs_keys); }
  Shown DataSigners() const { return Select(&zone::KeyUses::signs_data, &zone::KeyUses::signs_data); }
  Shown Wanted() const { return Select(&zone::KeyUses::in_ds, &zone::KeyUses::in_ds); }

  /// The signer knows its own TTLs. The parent's it sees while a roll is under way, and takes for no less than its configuration says.
  LongestTtls ToldTtls() const {
    if (options_.machine_is_told_nothing) return {};
    LongestTtls told = ttls_;
    told.ds = !state_.roll ? seconds(0) : options_.parent_can_be_asked ? std::max(kDsTtlTaken, ttls_.ds) : kDsTtlTaken;
    return told;
  }

  void StopSigner() {
    const seconds outage = Spread(zone::LeastRest(policy_) * options_.outages_tolerated);
    down_since_ = now_;
    signer_down_until_ = now_ + outage;
    ++report_.outages;
    report_.longest_outage = std::max(report_.longest_outage, outage);
  }

  /// Goes on to a later time, and renews signatures on the way whenever one is due, unless the signer is down.
  void PassTime(seconds span) {
    const UnixTime until = now_ + span;
    for (;;) {
      const UnixTime due = std::max(signatures_->Due(), signer_down_until_);
      now_ = std::clamp(due, now_, until);
      if (now_ < due) break;
      if (now_ == signer_down_until_) JudgeAges(signatures_->LeastRest(now_));
      JudgeAges(signatures_->Renew(now_));
      if (Chance(0.1)) signatures_->Change(now_);
    }
    JudgeAges(signatures_->LeastRest(now_));
  }

  /// `rest`: the least that signatures have left now.
  void JudgeAges(seconds rest) {
    const bool is_down = now_ <= signer_down_until_;
    const seconds promised = zone::LeastRest(policy_) - (is_down ? now_ - down_since_ : seconds(0)) - kRounding;
    if (rest < -kRounding) Fail_("a signature has expired");
    if (rest < promised) Fail_("a signature has " + std::to_string((promised - rest).count()) + " s less left than the policy promises");
    if (!is_down) report_.least_rest = std::min(report_.least_rest, std::chrono::duration<double>(rest) / policy_.identity.life);
  }

  bool Settled() const { return taken_ == state_.revision && swept_ >= state_.data_revision; }

  bool Begin_(Style style, bool urgent) {
    Begin begin{.style = style, .algorithm = 0, .roles = {}, .urgent = urgent};
    if (style == Style::kAlgorithm && !urgent) begin.algorithm = state_.keys.front().algorithm == 13 ? 15 : 13;
    if (style == Style::kAllKeys && !urgent && Chance(0.3)) {
      // From one key to two and back.
      begin.roles = Chance(0.5) ? std::vector{zone::KeyRole::kCsk} : std::vector{zone::KeyRole::kKsk, zone::KeyRole::kZsk};
    }
    return Take(Apply(state_, begin, told_, now_));
  }

  /// As the signer does it: when it is up, and before it looks at anything else.
  void BeginWhatIsDue() {
    if (now_ < signer_down_until_) return;
    const auto due = DueRoll(state_, schedule_, now_);
    if (!due) return;
    if (state_.roll) Fail_("the schedule begins a roll beside another");
    if (Take(Apply(state_, *due, told_, now_))) ++report_.scheduled;
  }

  bool Take(const Result<Step>& step) {
    if (!step) {
      Fail_("refused: " + step.error().Detail());
      return false;
    }
    const auto had_roll = state_.roll;
    state_ = step->state;
    std::erase_if(state_.keys, [](const RolledKey& key) { return key.state == zone::KeyState::kRemoved; });
    if (!had_roll || !state_.roll || had_roll->phase != state_.roll->phase) moved_at_ = now_;
    if (state_.roll) report_.phases.insert(state_.roll->phase);
    report_.rolls_finished += static_cast<int>(std::count(step->actions.begin(), step->actions.end(), Action::kFinished));
    if (had_roll && !had_roll->emergency_follows && state_.roll && state_.roll->emergency_follows) ++report_.emergencies_that_followed;
    if (had_roll && !state_.roll) {
      schedule_ = ScheduleFrom(state_.keys, lives_, now_, schedule_, had_roll->style);
    }
    if (KeysShown().size() > 4) Fail_("more than four DNSKEY records");
    return true;
  }

  /// One turn of the signer: zones take the revision, sweep, edges follow; what is seen goes to the machine.
  void SignerTurn() {
    if (state_.roll && state_.roll->phase == Phase::kMaking && Chance(0.8)) {
      KeysMade made;
      for (std::size_t i = 0; i < state_.roll->roles.size(); ++i) made.ids.push_back(NewId());
      Take(Apply(state_, made, told_, now_));
    }
    if (taken_ != state_.revision && started_ != state_.revision) {
      // The first zone takes it; the last one, with its last edge, some time later.
      started_ = state_.revision;
      all_taken_at_ = now_ + Spread(hours(6));
      Show(dnskey_, ttls_.keys, KeysShown());
      if (sweeping_ < state_.data_revision) {
        sweeping_ = state_.data_revision;
        all_swept_at_ = all_taken_at_ + (state_.roll && state_.roll->urgent ? Spread(minutes(30)) : Spread(resign_));
        Show(data_, ttls_.data, DataSigners());
        Show(cuts_, ttls_.data, Wanted());
      }
    }
    if (taken_ != started_ && now_ >= all_taken_at_) {
      taken_ = started_;
      Retire(dnskey_, now_ + delays_.dprp);
    }
    if (swept_ != sweeping_ && now_ >= all_swept_at_ && taken_ == started_) {
      swept_ = sweeping_;
      Retire(data_, now_ + delays_.dprp);
      Retire(cuts_, now_ + delays_.dprp);
    }
    Observed observed{.published = taken_ == state_.revision, .resigned = swept_ >= state_.data_revision, .parent = {}, .ttls = ToldTtls()};
    if (options_.parent_can_be_asked && Chance(0.7)) observed.parent = View();
    if (!options_.parent_can_be_asked && AwaitsParent(state_) && !state_.roll->delegated_at && ParentAgrees(state_, View()))
      Take(Apply(state_, ParentConfirmed{}, told_, now_));
    Take(Apply(state_, observed, told_, now_));
  }

  ParentView View() const {
    ParentView view;
    for (const KeyShown& key : parent_) view.key_ids.push_back(key.id);
    return view;
  }

  /// The parent does what it was told, some days later, at times in two steps.
  void MoveParent() {
    if (!AwaitsParent(state_) || taken_ != state_.revision || parent_ == Wanted()) return;
    if (options_.parent_is_deaf || !Chance(0.02)) return;
    Shown next = Wanted();
    if (Chance(0.3) && next.size() + parent_.size() <= 4) next.insert(parent_.begin(), parent_.end());
    if (next == parent_) next = Wanted();
    parent_ = next;
    Show(external_, ttls_.ds, parent_);
    Retire(external_, now_ + delays_.dprp_p);
  }

  /// Zones show what the signer has signed, and so it knows each TTL of theirs. What a parent had while the signer was down can only be
  /// observed if it has it still.
  void ChangeTtls() {
    const bool is_up = now_ >= signer_down_until_;
    if (is_up) ObserveTtls();
    const LongestTtls next = PickTtls();
    if (is_up) {
      ttls_ = next;
    } else {
      ttls_.ds = std::max(ttls_.ds, next.ds);
    }
    // The same is shown with other TTLs from now on; the old records stay in caches for the old ones.
    for (auto [list, ttl] : {std::pair(&dnskey_, ttls_.keys), {&data_, ttls_.data}, {&external_, ttls_.ds}, {&cuts_, ttls_.data}}) {
      const Shown content = list->back().content;
      Show(*list, ttl, content);
    }
    if (is_up) ObserveTtls();
  }
  void ObserveTtls() {
    Take(Apply(state_, Observed{.published = false, .resigned = false, .parent = {}, .ttls = ToldTtls()}, told_, now_));
  }

  void Show(std::vector<Version>& list, seconds ttl, Shown content) {
    std::erase_if(list, [&](const Version& version) { return version.gone && *version.gone + version.ttl <= now_; });
    list.push_back({now_, std::nullopt, ttl, std::move(content)});
    Judge();
  }
  /// All but the newest leave the servers.
  static void Retire(std::vector<Version>& list, UnixTime at) {
    for (std::size_t i = 0; i + 1 < list.size(); ++i) {
      if (!list[i].gone) list[i].gone = at;
    }
  }

  std::vector<const Version*> Held(const std::vector<Version>& list) const {
    std::vector<const Version*> held;
    for (const Version& version : list) {
      if (!version.gone || *version.gone + version.ttl > now_) held.push_back(&version);
    }
    return held;
  }

  void Judge() {
    const auto dnskeys = Held(dnskey_);
    for (const auto* parents : {&external_, &cuts_}) {
      for (const Version* ds : Held(*parents)) {
        for (const Version* keys : dnskeys) JudgeDelegation(*ds, *keys);
      }
    }
    for (const Version* keys : dnskeys) {
      for (const Version* data : Held(data_)) JudgeData(*keys, *data);
    }
  }

  static bool Has(const Shown& keys, const Octets& id, bool signs) {
    return std::any_of(keys.begin(), keys.end(), [&](const KeyShown& key) { return key.id == id && (key.signs || !signs); });
  }

  /// RFC 4035 §5.2, and for each algorithm that the DS RRset names (RFC 6840 §5.11 lets validators insist).
  void JudgeDelegation(const Version& ds, const Version& keys) {
    ++report_.judged;
    for (const KeyShown& named : ds.content) {
      const bool path = std::any_of(ds.content.begin(), ds.content.end(), [&](const KeyShown& other) {
        return other.algorithm == named.algorithm && Has(keys.content, other.id, true);
      });
      if (!path) return Fail_("no path from DS to DNSKEY");
    }
    if (ds.content.empty()) Fail_("no DS record");
  }

  /// RFC 4035 §2.2: a signature by a shown key of each algorithm that the DNSKEY RRset shows.
  void JudgeData(const Version& keys, const Version& data) {
    ++report_.judged;
    for (const KeyShown& shown : keys.content) {
      const bool path = std::any_of(data.content.begin(), data.content.end(), [&](const KeyShown& signer) {
        return signer.algorithm == shown.algorithm && Has(keys.content, signer.id, false);
      });
      if (!path) return Fail_("no signature of algorithm " + std::to_string(shown.algorithm) + " by a shown key");
    }
  }

  void Fail_(const std::string& what) {
    std::ostringstream text;
    text << what << ": seed " << options_.seed << ", style " << int(options_.style) << ", second " << now_.time_since_epoch().count()
         << ", phase " << (state_.roll ? int(state_.roll->phase) : 0);
    report_.failures.push_back(text.str());
  }

  const WorldOptions options_;
  std::mt19937_64 random_;
  UnixTime now_{};
  seconds longest_ds_{};
  LongestTtls ttls_;  // in effect
  Delays delays_;
  Delays told_;  // what the machine is told of them
  seconds resign_{};
  zone::ZonePolicy policy_{};
  std::optional<pipeline::AgingZone> signatures_;
  int keys_made_ = 0;
  RollState state_;
  KeyLives lives_;
  Schedule schedule_;
  Shown parent_;
  std::vector<Version> dnskey_, data_, external_, cuts_;
  UnixTime moved_at_{};  // the roll, to another phase
  UnixTime down_since_{}, signer_down_until_{};
  std::int64_t started_ = 1, taken_ = 1, sweeping_ = 1, swept_ = 1;
  UnixTime all_taken_at_{}, all_swept_at_{};
  WorldReport report_;
};

}  // namespace idzone::signer::rollover
