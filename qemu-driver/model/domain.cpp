// SPDX-License-Identifier: LGPL-2.1-or-later
#include "domain_def.hpp"

namespace vireo::qemu {

namespace {

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};

template <class... F>
Overloaded(F...) -> Overloaded<F...>;

} // namespace

bool DiskImage::is_empty() const {
    return std::visit(Overloaded{
                          [](const FileSource& s) { return !s.path && !s.fdgroup; },
                          [](const BlockSource& s) { return !s.path; },
                          [](const DirSource& s) { return !s.path; },
                          [](const auto&) { return false; },
                      },
                      source);
}

InterfaceType InterfaceDef::type() const {
    return std::visit(Overloaded{
                          [](const UserSource&) { return InterfaceType::user; },
                          [](const EthernetSource&) { return InterfaceType::ethernet; },
                          [](const BridgeSource&) { return InterfaceType::bridge; },
                          [](const NetworkInterfaceSource&) { return InterfaceType::network; },
                          [](const DirectSource&) { return InterfaceType::direct; },
                          [](const VhostUserInterfaceSource&) { return InterfaceType::vhostuser; },
                          [](const SocketSource& s) { return s.type; },
                          [](const HostdevInterfaceSource&) { return InterfaceType::hostdev; },
                          [](const VdpaSource&) { return InterfaceType::vdpa; },
                          [](const InternalSource&) { return InterfaceType::internal; },
                          [](const NullSource&) { return InterfaceType::null_; },
                      },
                      source);
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
