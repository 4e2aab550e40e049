// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/store/statuses.hpp"

#include "libshared/error.hpp"
#include "libshared/fd.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace vireo::qemu {

namespace {

using nlohmann::json;

constexpr int format_version = 1;

/// Throws parse_failed where the state is none that a guest can be in.
StateReason state_from(const json& value) {
    const int state = value.at(0).get<int>();
    if (state < static_cast<int>(State::nostate) || state > static_cast<int>(State::pmsuspended)) {
        throw Error(ErrorCode::parse_failed, "state {} is unknown", state);
    }
    return StateReason{static_cast<State>(state), value.at(1).get<int>()};
}

/// Throws parse_failed where there is no such word.
Restart restart_from(const json& value) {
    const auto word = value.get<std::string>();
    if (const auto restart = find_restart(word)) {
        return *restart;
    }
    throw Error(ErrorCode::parse_failed, "restart '{}' is unknown", word);
}

json to_json(const BlockJob& job) {
    json object;
    object["id"] = job.id;
    object["disk"] = job.disk;
    object["type"] = static_cast<std::int32_t>(job.type);
    object["top"] = job.top;
    object["base"] = job.base;
    object["delete-images"] = job.delete_images;
    object["pivot-wanted"] = job.pivot_wanted;
    object["abort-wanted"] = job.abort_wanted;
    return object;
}

BlockJob job_from(const json& object) {
    BlockJob job;
    job.id = object.at("id").get<std::string>();
    job.disk = object.at("disk").get<std::string>();
    job.type = static_cast<BlockJobType>(object.at("type").get<std::int32_t>());
    job.top = object.at("top").get<std::uint32_t>();
    job.base = object.at("base").get<std::uint32_t>();
    job.delete_images = object.at("delete-images").get<bool>();
    job.pivot_wanted = object.at("pivot-wanted").get<bool>();
    job.abort_wanted = object.at("abort-wanted").get<bool>();
    return job;
}

} // namespace

std::string format_status(const GuestStatus& status) {
    json document;
    document["version"] = format_version;
    document["uuid"] = status.uuid;
    document["name"] = status.name;
    document["id"] = status.id;
    document["starting"] = status.starting;
    document["persistent"] = status.persistent;
    document["updated"] = status.updated;
    document["state"] = json::array({static_cast<int>(status.state.state), status.state.reason});
    document["shutdown-seen"] = status.shutdown_seen;
    document["restart"] = restart_name(status.restart);
    document["destroy-wanted"] = status.destroy_wanted;
    document["autodestroy"] = status.autodestroy;
    document["jobs"] = json::array();
    for (const BlockJob& job : status.jobs) {
        document["jobs"].push_back(to_json(job));
    }
    document["domain"] = status.live_xml;
    return document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

GuestStatus parse_status(const std::string& text) {
    try {
        const json document = json::parse(text);
        if (const int version = document.at("version").get<int>(); version != format_version) {
            throw Error(ErrorCode::parse_failed, "format {} is unknown", version);
        }
        GuestStatus status;
        status.uuid = document.at("uuid").get<std::string>();
        status.name = document.at("name").get<std::string>();
        status.id = document.at("id").get<std::uint32_t>();
        status.starting = document.at("starting").get<bool>();
        status.persistent = document.at("persistent").get<bool>();
        status.updated = document.at("updated").get<bool>();
        status.state = state_from(document.at("state"));
        status.shutdown_seen = document.at("shutdown-seen").get<bool>();
        status.restart = restart_from(document.at("restart"));
        status.destroy_wanted = document.at("destroy-wanted").get<bool>();
        status.autodestroy = document.at("autodestroy").get<std::string>();
        for (const json& job : document.value("jobs", json::array())) {
            status.jobs.push_back(job_from(job));
        }
        status.live_xml = document.at("domain").get<std::string>();
        return status;
    } catch (const json::exception& e) {
        throw Error(ErrorCode::parse_failed, "{}", e.what());
    }
}

Statuses::Statuses(const std::string& runtime) : folder_(runtime + "/qemu") {
    make_folders(folder_);
    remove_unfinished(folder_);
    last_id_ = last_guest_id(runtime);
}

std::uint32_t last_guest_id(const std::string& runtime) {
    const auto stored = read_file_if_exists(runtime + "/qemu/last-id").value_or("0");
    std::uint32_t id = 0;
    std::from_chars(stored.data(), stored.data() + stored.size(), id);
    return id;
}

std::string guest_folder(const std::string& runtime, std::uint32_t id) {
    return fmt::format("{}/qemu/{}", runtime, id);
}

std::string Statuses::folder_of(std::uint32_t id) const {
    return fmt::format("{}/{}", folder_, id);
}

std::uint32_t Statuses::next_id() {
    write_file(folder_ + "/last-id", fmt::format("{}\n", last_id_ + 1));
    return ++last_id_;
}

void Statuses::make_folder(std::uint32_t id) const {
    make_folders(folder_of(id));
}

void Statuses::save(const GuestStatus& status) const {
    write_file(folder_of(status.id) + "/status.json", format_status(status));
}

void Statuses::remove(std::uint32_t id) const noexcept {
    const std::string folder = folder_of(id);
    // First of all, so that hardly a moment is left in which a restarted daemon finds a guest of
    // whose end clients have been told.
    ::unlink((folder + "/status.json").c_str());
    std::error_code failure;
    std::filesystem::remove_all(folder, failure);
    if (failure) {
        log::error("remove '{}': {}", folder, failure.message());
    }
}

std::vector<GuestStatus> Statuses::load() {
    std::vector<GuestStatus> statuses;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        const std::string name = entry.path().filename();
        std::uint32_t id = 0;
        const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), id);
        if (failure != std::errc() || end != name.data() + name.size()) {
            continue;
        }
        last_id_ = std::max(last_id_, id);
        remove_unfinished(entry.path());
        try {
            GuestStatus status = parse_status(read_file(entry.path() / "status.json"));
            status.id = id;
            statuses.push_back(std::move(status));
        } catch (const Error& e) {
            log::warning("no guest is looked for by '{}': {}", entry.path().native(), e.what());
            remove(id);
        }
    }
    std::ranges::sort(statuses, {}, &GuestStatus::id);
    return statuses;
}

bool Statuses::first_of_boot() const {
    const Fd marker(
        ::open((folder_ + "/autostarted").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    return static_cast<bool>(marker);
}

} // namespace vireo::qemu
