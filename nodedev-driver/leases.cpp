// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/leases.hpp"

#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>

namespace vireo::nodedev {

namespace {

using nlohmann::json;

constexpr std::string_view suffix = ".json";

std::string to_text(const Lease& lease) {
    const json record{{"address", lease.address},
                      {"holder", lease.holder},
                      {"driver", lease.driver},
                      {"host_driver", lease.host_driver},
                      {"host_override", lease.host_override},
                      {"state", xml::name_of(lease.state)},
                      {"since", lease.since},
                      {"process", lease.process},
                      {"process_started", lease.process_started}};
    return record.dump() + "\n";
}

Lease from_text(const std::string& text) {
    const json record = json::parse(text);
    Lease lease{.address = record.at("address"),
                .holder = record.at("holder"),
                .driver = record.at("driver"),
                .host_driver = record.at("host_driver"),
                .host_override = record.at("host_override"),
                .state = {},
                .since = record.at("since"),
                .process = record.at("process"),
                .process_started = record.at("process_started")};
    const auto state = xml::enum_of<LeaseState>(record.at("state").get<std::string>());
    if (!state) {
        throw Error(ErrorCode::parse_failed, "'{}' is no state", record.at("state").dump());
    }
    lease.state = *state;
    return lease;
}

} // namespace

Leases::Leases(Loop& loop, std::string folder) : loop_(loop), folder_(std::move(folder)) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, none)) {
        if (entry.path().extension() != suffix) {
            continue;
        }
        try {
            Lease lease = from_text(read_file(entry.path()));
            leases_.insert_or_assign(lease.address, std::move(lease));
        } catch (const std::exception& error) {
            log::error("the lease '{}' cannot be read: {}", entry.path().string(), error.what());
        }
    }
}

const Lease* Leases::find(std::string_view address) const {
    const auto found = leases_.find(address);
    return found == leases_.end() ? nullptr : &found->second;
}

void Leases::save(Lease lease) {
    make_folders(folder_);
    write_file(file_of(lease.address), to_text(lease));
    leases_.insert_or_assign(lease.address, std::move(lease));
}

void Leases::end(const std::string& address) {
    std::error_code ignored; // a record that stays is looked at again by the next daemon
    std::filesystem::remove(file_of(address), ignored);
    leases_.erase(address);
}

ChangeQueue& Leases::queue(const std::string& address) {
    return queues_.try_emplace(address, loop_).first->second;
}

std::string Leases::file_of(const std::string& address) const {
    return fmt::format("{}/{}{}", folder_, address, suffix);
}

} // namespace vireo::nodedev
