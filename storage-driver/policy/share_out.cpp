// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/policy/share_out.hpp"

#include <algorithm>
#include <vector>

namespace vireo::storage {

namespace {

/// Pieces in which is shared out: small beside any guest, large enough for few rounds.
constexpr uint64_t piece_size = 8 << 20;

uint64_t round_up(uint64_t value, uint64_t step) {
    return (value + step - 1) / step * step;
}

uint64_t piece_of(const MemoryClaim& claim) {
    return round_up(piece_size, claim.step);
}

/// The first piece is one that is worth it.
uint64_t next_piece(const MemoryClaim& claim) {
    const uint64_t wanted = claim.part == 0
                                ? std::max(piece_of(claim), round_up(claim.least, claim.step))
                                : piece_of(claim);
    return std::min(wanted, claim.most - claim.part);
}

bool worth_it(const MemoryClaim& claim) {
    return claim.step > 0 && claim.most > 0 && claim.most >= claim.least;
}

double share_of(const MemoryClaim& claim, uint64_t amount) {
    return static_cast<double>(amount) / claim.weight;
}

} // namespace

uint64_t share_out(std::span<MemoryClaim> claims, uint64_t amount) {
    std::vector<MemoryClaim*> open;
    for (MemoryClaim& claim : claims) {
        claim.part = 0;
        if (worth_it(claim)) {
            open.push_back(&claim);
        }
    }
    uint64_t given = 0;
    while (!open.empty()) {
        const auto poorest = std::ranges::min_element(open, {}, [](const MemoryClaim* claim) {
            return share_of(*claim, claim->has + claim->part);
        });
        const uint64_t piece = next_piece(**poorest);
        if (piece == 0 || piece > amount - given) {
            open.erase(poorest);
            continue;
        }
        (*poorest)->part += piece;
        given += piece;
    }
    return given;
}

uint64_t collect(std::span<MemoryClaim> claims, uint64_t amount) {
    std::vector<MemoryClaim*> open;
    for (MemoryClaim& claim : claims) {
        claim.part = 0;
        if (worth_it(claim)) {
            open.push_back(&claim);
        }
    }
    uint64_t taken = 0;
    while (taken < amount && !open.empty()) {
        const auto richest = std::ranges::max_element(open, {}, [](const MemoryClaim* claim) {
            return share_of(*claim, claim->has - std::min(claim->has, claim->part));
        });
        const uint64_t piece = next_piece(**richest);
        if (piece == 0) {
            open.erase(richest);
            continue;
        }
        (*richest)->part += piece;
        taken += piece;
    }
    return taken;
}

} // namespace vireo::storage
