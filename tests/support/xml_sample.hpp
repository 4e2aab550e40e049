// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/enum_names.hpp"
#include "libshared/xml/field.hpp"
#include "libshared/xml/parts.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// A small document with a field of every kind, for the XML binding's tests.
namespace vireo::sample {

enum class DiskType { file, block, network };

struct Target {
    std::string dev;
    std::string bus = "virtio";
    friend bool operator==(const Target&, const Target&) = default;
};

struct FileSource {
    std::string file;
    friend bool operator==(const FileSource&, const FileSource&) = default;
};

struct NetworkSource {
    std::string protocol;
    std::vector<std::string> hosts;
    friend bool operator==(const NetworkSource&, const NetworkSource&) = default;
};

struct Pty {
    std::optional<std::string> path;
    friend bool operator==(const Pty&, const Pty&) = default;
};

struct Tcp {
    std::string host;
    unsigned short port = 0;
    bool tls = false;
    friend bool operator==(const Tcp&, const Tcp&) = default;
};

enum class SerialType { none, pty, tcp };

struct Serial {
    std::variant<std::monostate, Pty, Tcp> backend;
    std::vector<unsigned> lanes;
    friend bool operator==(const Serial&, const Serial&) = default;
};

struct Info {
    std::optional<std::string> alias;
    std::optional<unsigned> boot;
    friend bool operator==(const Info&, const Info&) = default;
};

struct Driver {
    std::optional<std::string> cache;
    std::optional<bool> iothread;
    unsigned queues = 1;
    friend bool operator==(const Driver&, const Driver&) = default;
};

struct Disk {
    DiskType type{};
    Info info;
    Driver driver;
    std::variant<FileSource, std::monostate, NetworkSource> source;
    std::string block_device;
    Target target;
    std::optional<std::string> serial;
    bool readonly = false;
    xml::Box<Disk> backing;
    xml::Where where;
    xml::Extra extra;
    friend bool operator==(const Disk&, const Disk&) = default;
};

struct Nic {
    std::string mac;
    friend bool operator==(const Nic&, const Nic&) = default;
};

struct Memory {
    std::uint64_t kib = 0;
    std::optional<bool> dump_core;
    friend bool operator==(const Memory&, const Memory&) = default;
};

struct Arguments {
    struct Argument {
        std::string value;
        friend bool operator==(const Argument&, const Argument&) = default;
    };

    std::vector<Argument> list;
    friend bool operator==(const Arguments&, const Arguments&) = default;
};

struct Domain {
    std::optional<int> id;
    std::string name;
    std::string uuid;
    std::optional<xml::Raw> metadata;
    Memory memory;
    std::string os_type;
    std::optional<std::string> machine;
    std::vector<std::string> boot;
    bool acpi = false;
    bool apic = false;
    unsigned vcpus = 1;
    std::string password;
    std::vector<Disk> disks;
    std::vector<Serial> serials;
    std::vector<std::variant<Target, Nic>> mixed;
    std::map<std::string, std::string> notes;
    std::optional<Arguments> arguments;
    friend bool operator==(const Domain&, const Domain&) = default;
};

const xml::Type& describe(const Target*);
const xml::Type& describe(const Disk*);
const xml::Type& describe(const Domain*);

/// View bit: passwords are shown.
constexpr unsigned secrets = 1;

/// A document with something for every field, as it is written; and one with nothing optional.
extern const std::string full_document;
extern const std::string least_document;

} // namespace vireo::sample

template <>
struct vireo::xml::EnumNames<vireo::sample::DiskType> {
    static constexpr std::array<std::string_view, 3> names{"file", "block", "network"};
};

template <>
struct vireo::xml::EnumNames<vireo::sample::SerialType> {
    static constexpr std::array<std::string_view, 3> names{"", "pty", "tcp"};
};
