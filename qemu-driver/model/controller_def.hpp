// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"

/// `<controller>`.
namespace vireo::qemu {

enum class ControllerType { ide, fdc, scsi, sata, virtio_serial, ccid, usb, pci, xenbus, isa };

enum class ScsiModel {
    auto_,
    buslogic,
    lsilogic,
    lsisas1068,
    vmpvscsi,
    ibmvscsi,
    virtio_scsi,
    lsisas1078,
    virtio_transitional,
    virtio_non_transitional,
    ncr53c90,
    dc390,
    am53c974
};

enum class UsbModel {
    piix3_uhci,
    piix4_uhci,
    ehci,
    ich9_ehci1,
    ich9_uhci1,
    ich9_uhci2,
    ich9_uhci3,
    vt82c686b_uhci,
    pci_ohci,
    nec_xhci,
    qusb1,
    qusb2,
    qemu_xhci,
    none
};

enum class PciModel {
    pci_root,
    pcie_root,
    pci_bridge,
    dmi_to_pci_bridge,
    pcie_to_pci_bridge,
    pcie_root_port,
    pcie_switch_upstream_port,
    pcie_switch_downstream_port,
    pci_expander_bus,
    pcie_expander_bus
};

/// `<model name=/>` of a PCI controller: the QEMU device that plays it.
enum class PciDeviceName {
    i82801b11_bridge,
    pci_bridge,
    ioh3420,
    x3130_upstream,
    xio3130_downstream,
    pxb,
    pxb_pcie,
    pcie_root_port,
    pcie_pci_bridge
};

enum class IdeModel { piix3, piix4, ich6 };

/// `model=` means another thing for each type, so it is a variant; `VirtioModel` is of
/// virtio-serial, `monostate` of a type without models or before `fill_defaults`.
using ControllerModel =
    std::variant<std::monostate, ScsiModel, UsbModel, PciModel, VirtioModel, IdeModel>;

/// `<target …/>` of a PCI controller; absent ones are chosen by `assign_addresses`.
struct PciControllerTarget {
    /// Of a host bridge of other machines; refused by `validate`.
    std::optional<uint32_t> index;
    std::optional<uint32_t> chassis_nr;
    std::optional<uint32_t> chassis;
    std::optional<uint32_t> port;
    std::optional<uint32_t> bus_nr;
    std::optional<OnOff> hotplug;
    std::optional<uint32_t> numa_node;
};

struct ControllerDriver {
    std::optional<uint32_t> queues;
    std::optional<uint32_t> cmd_per_lun;
    std::optional<uint32_t> max_sectors;
    std::optional<OnOff> ioeventfd;
    std::optional<uint32_t> iothread;
    VirtioOptions virtio;
};

struct ControllerDef {
    ControllerType type{};
    /// Absent only before `fill_defaults`.
    std::optional<uint32_t> index;
    ControllerModel model;
    /// usb: xhci's ports; virtio-serial: ports of the bus.
    std::optional<uint32_t> ports;
    /// virtio-serial: MSI vectors.
    std::optional<uint32_t> vectors;
    /// pci.
    std::optional<PciDeviceName> pci_device;
    PciControllerTarget target;
    std::optional<uint64_t> pcihole64_kib;
    ControllerDriver driver;
    /// usb: `<master startport=/>`, a companion controller of the EHCI with the same index.
    std::optional<uint32_t> master_start_port;
    DeviceInfo info;

    template <class M>
    std::optional<M> model_as() const {
        const M* found = std::get_if<M>(&model);
        return found != nullptr ? std::optional<M>(*found) : std::nullopt;
    }

    bool is_pci(PciModel wanted) const {
        return type == ControllerType::pci && model_as<PciModel>() == wanted;
    }
};

const xml::Type& describe(const ControllerDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::ControllerType> {
    static constexpr std::array<std::string_view, 10> names{
        "ide", "fdc", "scsi", "sata", "virtio-serial", "ccid", "usb", "pci", "xenbus", "isa"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::ScsiModel> {
    static constexpr std::array<std::string_view, 13> names{"auto",
                                                            "buslogic",
                                                            "lsilogic",
                                                            "lsisas1068",
                                                            "vmpvscsi",
                                                            "ibmvscsi",
                                                            "virtio-scsi",
                                                            "lsisas1078",
                                                            "virtio-transitional",
                                                            "virtio-non-transitional",
                                                            "ncr53c90",
                                                            "dc390",
                                                            "am53c974"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::UsbModel> {
    static constexpr std::array<std::string_view, 14> names{"piix3-uhci",
                                                            "piix4-uhci",
                                                            "ehci",
                                                            "ich9-ehci1",
                                                            "ich9-uhci1",
                                                            "ich9-uhci2",
                                                            "ich9-uhci3",
                                                            "vt82c686b-uhci",
                                                            "pci-ohci",
                                                            "nec-xhci",
                                                            "qusb1",
                                                            "qusb2",
                                                            "qemu-xhci",
                                                            "none"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::PciModel> {
    static constexpr std::array<std::string_view, 10> names{"pci-root",
                                                            "pcie-root",
                                                            "pci-bridge",
                                                            "dmi-to-pci-bridge",
                                                            "pcie-to-pci-bridge",
                                                            "pcie-root-port",
                                                            "pcie-switch-upstream-port",
                                                            "pcie-switch-downstream-port",
                                                            "pci-expander-bus",
                                                            "pcie-expander-bus"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::PciDeviceName> {
    static constexpr std::array<std::string_view, 9> names{"i82801b11-bridge",
                                                           "pci-bridge",
                                                           "ioh3420",
                                                           "x3130-upstream",
                                                           "xio3130-downstream",
                                                           "pxb",
                                                           "pxb-pcie",
                                                           "pcie-root-port",
                                                           "pcie-pci-bridge"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::IdeModel> {
    static constexpr std::array<std::string_view, 3> names{"piix3", "piix4", "ich6"};
};
