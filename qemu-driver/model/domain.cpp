// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/domain_def.hpp"

namespace vireo::qemu {

namespace {

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};

template <class... F>
Overloaded(F...) -> Overloaded<F...>;

} // namespace

Devices::Devices() = default;
Devices::Devices(const Devices&) = default;
Devices::Devices(Devices&&) noexcept = default;
Devices& Devices::operator=(const Devices&) = default;
Devices& Devices::operator=(Devices&&) noexcept = default;
Devices::~Devices() = default;

DomainDef::DomainDef() = default;
DomainDef::DomainDef(const DomainDef&) = default;
DomainDef::DomainDef(DomainDef&&) noexcept = default;
DomainDef& DomainDef::operator=(const DomainDef&) = default;
DomainDef& DomainDef::operator=(DomainDef&&) noexcept = default;
DomainDef::~DomainDef() = default;

bool DiskImage::is_empty() const {
    return std::visit(Overloaded{
                          [](const FileSource& s) { return !s.path && !s.fdgroup; },
                          [](const BlockSource& s) { return !s.path; },
                          [](const DirSource& s) { return !s.path; },
                          [](const auto&) { return false; },
                      },
                      source);
}

DiskImage NvramDef::storage() const {
    if (!path) {
        return image;
    }
    DiskImage file;
    file.source = FileSource{.path = path, .fdgroup = {}};
    return file;
}

bool OsDef::is_q35() const {
    return machine && (*machine == "q35" || machine->starts_with("pc-q35"));
}

bool OsDef::is_i440fx() const {
    return machine && (*machine == "pc" || machine->starts_with("pc-i440fx-") ||
                       machine->starts_with("pc-0.") || machine->starts_with("pc-1."));
}

bool OsDef::is_microvm() const {
    return machine && *machine == "microvm";
}

} // namespace vireo::qemu
