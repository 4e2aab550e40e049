// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/files.hpp"
#include "qemu-driver/devices/memlock.hpp"
#include "qemu-driver/model/device_document.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "qemu-driver/model/memory_devices.hpp"
#include "tools/environment.hpp"
#include "tools/launch_environment.hpp"
#include "tools/print_plans.hpp"
#include "tools/request.hpp"
#include "tools/this_host.hpp"

#include <nlohmann/json.hpp>

#include <iostream>

namespace vireo::tool {

namespace {

using namespace qemu;

constexpr std::string_view domain_verbs[] = {"argv", "check", "memlock", "xml"};
constexpr std::string_view disk_verbs[] = {"blockdev"};

void print_arguments(const nlohmann::json& arguments) {
    std::cout << arguments.dump() << '\n';
}

DomainDef parse(const Request& request, std::string_view text, xml::Problems& passed_over) {
    DomainDef def = parse_domain(text, request.active, &passed_over);
    if (request.validate) {
        passed_over.raise();
    }
    return def;
}

void print_problems(const xml::Problems& problems) {
    for (const xml::Problem& problem : problems.list()) {
        std::cout << problem.text() << '\n';
    }
}

void answer_for_this_host(const Request& request, std::string text) {
    ThisHost host(request.root);
    if (request.verb == "argv") {
        print_arguments(host.arguments(std::move(text)));
        return;
    }
    xml::Problems passed_over;
    DomainDef def = parse(request, text, passed_over);
    def = host.completed(std::move(def), request.active);
    if (request.verb == "check") {
        print_problems(passed_over);
    } else if (request.verb == "xml") {
        std::cout << format_domain(def, {.active = request.active, .secure = true});
    } else if (request.verb == "memlock") {
        std::cout << locked_memory_limit(def) << '\n';
    }
}

/// As a start does with images that are there and based on no other.
void open_images(const DomainDef& live, DiskDef& disk) {
    DiskImage* last = &disk.image;
    while (last->backing && !last->backing->is_empty()) {
        last = &*last->backing;
    }
    last->backing = DiskImage{};
    DomainDef alone;
    alone.devices.disks.push_back(std::move(disk));
    assign_node_numbers(alone, last_node_number(live));
    disk = std::move(alone.devices.disks.front());
}

/// The running guest `live` once the device has come, gone or changed.
void change_device(const Request& request, const Environment& env, DomainDef& live) {
    const bool attach = request.action == "attach";
    const Device device = parse_device(read_file(request.device), !attach);
    const auto* memory = std::get_if<MemoryDeviceDef>(&device);
    if (attach) {
        PlacedDevice placed = placed_in(live, device, env.facts);
        if (auto* disk = std::get_if<DiskDef>(&placed.device)) {
            open_images(live, *disk);
        }
        for (ControllerDef& controller : placed.controllers) {
            live.devices.controllers.push_back(std::move(controller));
        }
        add_device(live, std::move(placed.device));
    } else if (request.action == "detach") {
        remove_device(live, device, find_device(live, device));
    } else if (request.action == "update" && memory != nullptr) {
        MemoryDeviceDef& known = live.devices.memories[find_memory_device(live, *memory)];
        require_same_but_requested(known, *memory);
        known.requested_kib = memory->requested_kib;
    } else {
        throw Error(ErrorCode::operation_unsupported,
                    "--device {}: --action {} is not for {}",
                    request.device,
                    request.action,
                    words_of(device));
    }
}

void answer_for_environment(const Request& request, const std::string& text) {
    const Environment env = load_environment(request.env);
    PassOptions options;
    options.active = request.active;
    options.any_hypervisor = request.generic;
    options.new_definition = request.new_definition || env.settings.value("abiUpdate", false);
    xml::Problems passed_over;
    DomainDef def = parse(request, text, passed_over);
    if (request.device.empty()) {
        complete_domain(def, env.facts, options);
    } else { // a running guest's document is complete, or its guest is what it says
        change_device(request, env, def);
    }
    if (request.verb == "check") {
        print_problems(passed_over);
    } else if (request.verb == "xml") {
        std::cout << format_domain(def, {.active = options.active, .secure = true});
    } else if (request.verb == "argv") {
        options.new_definition = true; // what an older definition left open is chosen at a start
        assign_addresses(def, env.facts, options);
        print_arguments(command_line_in(env.settings, *env.qemu, std::move(def)));
    } else if (request.verb == "memlock") {
        std::cout << locked_memory_limit(def) << '\n';
    }
}

void run_domain(const Request& request) {
    std::string text = read_file(request.file);
    if (!request.device.empty() && (request.env.empty() || !request.active)) {
        throw Error(ErrorCode::invalid_arg,
                    "--device is for a running guest of a host that is described: it takes --env "
                    "and --active");
    }
    if (request.env.empty()) {
        answer_for_this_host(request, std::move(text));
    } else {
        answer_for_environment(request, text);
    }
}

void run_disk(const Request& request) {
    if (request.env.empty()) {
        throw Error(ErrorCode::invalid_arg, "'blockdev' needs --env: its names are of a status");
    }
    std::cout << print_blockdevs(load_environment(request.env), read_file(request.file));
}

} // namespace

constinit const Kind disk_kind{"disk", disk_verbs, &run_disk};
constinit const Kind domain_kind{"domain", domain_verbs, &run_domain};

} // namespace vireo::tool
