// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/net_features.hpp"

#include "libshared/fd.hpp"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <net/if.h>
#include <optional>
#include <string_view>

namespace vireo::nodedev {

namespace {

/// The old query of each offload, in libvirt's order; ETHTOOL_GFLAGS has several in one word.
struct Feature {
    NetFeature feature;
    uint32_t command;
    uint32_t mask;
};

constexpr std::array features{
    Feature{NetFeature::rx, ETHTOOL_GRXCSUM, 1},
    Feature{NetFeature::tx, ETHTOOL_GTXCSUM, 1},
    Feature{NetFeature::sg, ETHTOOL_GSG, 1},
    Feature{NetFeature::tso, ETHTOOL_GTSO, 1},
    Feature{NetFeature::gso, ETHTOOL_GGSO, 1},
    Feature{NetFeature::gro, ETHTOOL_GGRO, 1},
    Feature{NetFeature::lro, ETHTOOL_GFLAGS, ETH_FLAG_LRO},
    Feature{NetFeature::rxvlan, ETHTOOL_GFLAGS, ETH_FLAG_RXVLAN},
    Feature{NetFeature::txvlan, ETHTOOL_GFLAGS, ETH_FLAG_TXVLAN},
    Feature{NetFeature::ntuple, ETHTOOL_GFLAGS, ETH_FLAG_NTUPLE},
    Feature{NetFeature::rxhash, ETHTOOL_GFLAGS, ETH_FLAG_RXHASH},
};

/// libvirt's `txudptnl`; found by the kernel's name, because its number is not part of the
/// interface.
constexpr std::string_view tunnel_feature = "tx-udp_tnl-segmentation";

class Query {
  public:
    explicit Query(const std::string& interface)
        // Any socket leads to the devices; the unit allows this family.
        : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        const size_t length = std::min(interface.size(), sizeof request_.ifr_name - 1);
        std::memcpy(request_.ifr_name, interface.data(), length);
    }

    bool run(void* command) {
        request_.ifr_data = static_cast<char*>(command);
        return socket_ && ::ioctl(socket_.get(), SIOCETHTOOL, &request_) == 0;
    }

    bool on(const Feature& feature) {
        ethtool_value value{};
        value.cmd = feature.command;
        return run(&value) && (value.data & feature.mask) != 0;
    }

    bool tunnel_on() {
        const auto bit = feature_bit(tunnel_feature);
        return bit && bit_on(*bit);
    }

  private:
    /// The structs below end in arrays, so each is laid out in words.
    using Words = std::vector<uint32_t>;

    template <class T>
    static T* header(Words& words) {
        return reinterpret_cast<T*>(words.data());
    }

    uint32_t feature_count() {
        Words words(sizeof(ethtool_sset_info) / sizeof(uint32_t) + 1);
        auto* info = header<ethtool_sset_info>(words);
        info->cmd = ETHTOOL_GSSET_INFO;
        info->sset_mask = 1ULL << ETH_SS_FEATURES;
        constexpr uint32_t sensible = 1024;
        return run(info) && info->sset_mask != 0 ? std::min(words.back(), sensible) : 0;
    }

    std::optional<uint32_t> feature_bit(std::string_view wanted) {
        count_ = feature_count();
        Words words((sizeof(ethtool_gstrings) + size_t{count_} * ETH_GSTRING_LEN) /
                    sizeof(uint32_t));
        auto* strings = header<ethtool_gstrings>(words);
        strings->cmd = ETHTOOL_GSTRINGS;
        strings->string_set = ETH_SS_FEATURES;
        strings->len = count_;
        if (count_ == 0 || !run(strings)) {
            return std::nullopt;
        }
        const char* name = reinterpret_cast<const char*>(words.data()) + sizeof(ethtool_gstrings);
        for (uint32_t bit = 0; bit < count_; ++bit, name += ETH_GSTRING_LEN) {
            if (std::string_view(name, ::strnlen(name, ETH_GSTRING_LEN)) == wanted) {
                return bit;
            }
        }
        return std::nullopt;
    }

    bool bit_on(uint32_t bit) {
        const uint32_t blocks = (count_ + 31) / 32;
        constexpr size_t block_words = sizeof(ethtool_get_features_block) / sizeof(uint32_t);
        constexpr size_t header_words = sizeof(ethtool_gfeatures) / sizeof(uint32_t);
        constexpr size_t active = offsetof(ethtool_get_features_block, active) / sizeof(uint32_t);
        Words words(header_words + blocks * block_words);
        auto* answer = header<ethtool_gfeatures>(words);
        answer->cmd = ETHTOOL_GFEATURES;
        answer->size = blocks;
        return run(answer) &&
               (words.at(header_words + bit / 32 * block_words + active) >> (bit % 32) & 1) != 0;
    }

    Fd socket_;
    ifreq request_{};
    uint32_t count_ = 0;
};

} // namespace

std::vector<NetFeature> read_net_features(const std::string& interface) {
    std::vector<NetFeature> on;
    Query query(interface);
    for (const Feature& feature : features) {
        if (query.on(feature)) {
            on.push_back(feature.feature);
        }
    }
    if (query.tunnel_on()) {
        on.push_back(NetFeature::txudptnl);
    }
    return on;
}

} // namespace vireo::nodedev
