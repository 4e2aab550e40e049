// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/launch.hpp"

#include <map>
#include <string>
#include <vector>

namespace vireo::qemu {

/// Collects the descriptors that a plan passes to QEMU and says how the plan refers to each: by
/// number on a command line, by the name it was sent under (`getfd`) when hot-plugged.
class DescriptorList {
  public:
    enum class Naming { numbers, names };

    explicit DescriptorList(Naming naming) : naming_(naming) {}

    /// The text for "fd" and its like.
    std::string pass(Descriptor descriptor);
    /// `/dev/fdset/N`, with the step that adds the descriptor to that set in `plan`.
    std::string pass_as_path(Descriptor descriptor, Plan& plan, std::string_view label);
    /// The same with several descriptors of one file, of which QEMU takes the one with the access
    /// mode that it needs.
    std::string pass_as_path(std::vector<Descriptor> set, Plan& plan, std::string_view label);

    std::vector<Descriptor> take() { return std::move(descriptors_); }

  private:
    void add_to_set(unsigned set, Descriptor descriptor, Plan& plan, const std::string& label);

    Naming naming_;
    std::vector<Descriptor> descriptors_;
    unsigned next_set_ = 0;
};

/// The order of boot devices: from each device's own `<boot order=>`, or from `<os><boot dev=>`,
/// where each class's first device gets the class's place.
class BootOrder {
  public:
    BootOrder() = default;
    explicit BootOrder(const DomainDef& def);

    std::optional<uint32_t> of(const DeviceInfo& info) const;

  private:
    std::map<const DeviceInfo*, uint32_t> places_;
};

/// What each plan function may look at.
struct PlanContext {
    const DomainDef& def;
    const QemuCapabilities& caps;
    const LaunchFacts& facts;
    DescriptorList& descriptors;
    const BootOrder& boot;

    bool kvm() const { return def.type == DomainType::kvm; }
};

/// The device's alias. Throws internal when `assign_aliases` has not run.
const std::string& alias_of(const DeviceInfo& info);

/// The alias of the controller with this type and index.
/// Throws xml_error, naming `user`, when the definition has none.
const std::string&
controller_alias(const DomainDef& def, ControllerType type, uint32_t index, std::string_view user);

/// Adds the device's place (bus and addr, port, nr, iobase ...) and what belongs to it
/// (multifunction, option ROM, ACPI index) to `device`.
void add_address(const PlanContext& context, nlohmann::json& device, const DeviceInfo& info);
void add_virtio_options(nlohmann::json& device, const VirtioOptions& options);
void add_boot_index(const PlanContext& context, nlohmann::json& device, const DeviceInfo& info);
void set_on_off(nlohmann::json& device, const char* key, const std::optional<OnOff>& value);

/// "virtio-blk" + "-pci", and "-transitional" where the model says so.
/// Throws config_unsupported when the device sits neither on PCI nor nowhere.
std::string virtio_device(std::string_view base, const DeviceInfo& info, VirtioModel model);

/// Throws config_unsupported when this QEMU has no such type; `element` is where the XML asks.
void require_type(const PlanContext& context, std::string_view type, std::string_view element);

} // namespace vireo::qemu
