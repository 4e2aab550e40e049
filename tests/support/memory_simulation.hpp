// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "storage-driver/policy/memory_policy.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace vireo::test {

inline constexpr uint64_t sim_mib = 1 << 20;
inline constexpr uint64_t sim_gib = 1 << 30;

/// How much memory a guest's programs want at a second of the simulation; bytes.
using Demand = std::function<uint64_t(unsigned second)>;

/// A guest as the policy sees one: it follows what it is asked for as fast as it can, fills what it
/// has with cache, and says what it uses every few seconds.
struct SimulatedGuest {
    std::string id;
    storage::GuestLimits limits;
    Demand demand;
    uint64_t current{};
    uint64_t step = 2 * sim_mib;
    bool gives = true; // back what it does not use
    bool takes = true; // what it is offered
    bool tells = true; // what it uses

    uint64_t target = 0;   // 0: current, at the beginning
    uint64_t resident = 0; // what the host holds for it
    uint64_t used = 0;
    uint64_t told_usable = 0;
    unsigned starving = 0; // seconds in a row that its programs have wanted more than there was
    unsigned longest_starving = 0;
};

/// A host, second by second.
class Simulation {
  public:
    /// `others_`: what everything but guests takes.
    Simulation(uint64_t total_, uint64_t reserve_, uint64_t others_)
        : total(total_), reserve(reserve_), others([others_](unsigned) { return others_; }) {}

    uint64_t total;
    uint64_t reserve;
    Demand others;
    std::vector<SimulatedGuest> guests;
    storage::PolicyTuning tuning = {};
    unsigned round_every = 10; // seconds

    struct Request {
        unsigned second;
        storage::MemoryDecision decision;
        uint64_t current;
        uint64_t usable; // as it was known
        bool below_reserve;
    };

    std::vector<Request> requests;
    std::vector<storage::MemoryMark> marks;
    uint64_t least_available = UINT64_MAX;
    std::vector<unsigned> seconds_below_reserve; // when

    uint64_t available() const;
    void run(unsigned seconds);

    /// How often the guest was asked to turn back, by its requests.
    unsigned reversals(const std::string& id) const;
    std::vector<Request> requests_to(const std::string& id) const;

  private:
    void move(SimulatedGuest& guest) const;
    void decide();

    std::optional<storage::MemoryPolicy> policy_;
    unsigned second_ = 0;
};

} // namespace vireo::test
