// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/refusals.hpp"
#include "qemu-driver/model/validate.hpp"

#include <set>

namespace vireo::qemu {

namespace {

bool is_none(const DeviceInfo& info) {
    return std::holds_alternative<std::monostate>(info.address);
}

void check_input(const InputDef& input) {
    const xml::Where where = input.info.where;
    if (input.type == InputType::evdev) {
        if (input.bus.value_or(InputBus::none) != InputBus::none) {
            refuse(where, "input", "type='evdev' is on no bus of the guest; remove bus=");
        }
        if (!input.source || !input.source->dev) {
            refuse(where, "source", "type='evdev' needs dev=, the host's device");
        }
        return;
    }
    if (input.bus == InputBus::ps2 && input.type != InputType::mouse &&
        input.type != InputType::keyboard) {
        refuse(
            where, "input", "bus='ps2' has a mouse and a keyboard, no '{}'", name_of(input.type));
    }
    if (input.bus == InputBus::xen || input.bus == InputBus::parallels) {
        refuse(where, "input", "bus='{}' is not one of QEMU's", name_of(*input.bus));
    }
    if (input.type == InputType::passthrough && input.bus != InputBus::virtio) {
        refuse(where, "input", "type='passthrough' needs bus='virtio'");
    }
    if (input.type == InputType::passthrough && (!input.source || !input.source->evdev)) {
        refuse(where, "source", "type='passthrough' needs evdev=, the host's device");
    }
    if (input.type != InputType::passthrough && input.source && input.source->evdev) {
        refuse(where, "source", "evdev= needs type='passthrough'");
    }
    if (input.model && input.bus != InputBus::virtio) {
        refuse(where, "input", "model='{}' needs bus='virtio'", name_of(*input.model));
    }
}

void check_shmem(const ShmemDef& shmem) {
    const xml::Where where = shmem.info.where;
    if (shmem.name.empty() || shmem.name == "." || shmem.name == ".." ||
        shmem.name.find('/') != std::string::npos) {
        refuse(where, "shmem", "name='{}' is no name for a file", shmem.name);
    }
    if (shmem.msi && !shmem.server) {
        refuse(where, "msi", "interrupts come from a <server>");
    }
}

void check_qemu_shmem(const ShmemDef& shmem) {
    const xml::Where where = shmem.info.where;
    switch (*shmem.model) {
    case ShmemModel::ivshmem:
        refuse(where,
               "model",
               "type='ivshmem' is gone from QEMU; use 'ivshmem-plain' or 'ivshmem-doorbell'");
    case ShmemModel::ivshmem_plain:
        if (shmem.server || shmem.msi) {
            refuse(where, "server", "type='ivshmem-plain' has none; use 'ivshmem-doorbell'");
        }
        break;
    case ShmemModel::ivshmem_doorbell:
        if (!shmem.server) {
            refuse(where, "model", "type='ivshmem-doorbell' needs a <server>");
        }
        if (shmem.size_mib) {
            refuse(where, "size", "the <server> decides it");
        }
        break;
    }
    const uint64_t size = shmem.size_mib.value_or(1);
    if (size == 0 || (size & (size - 1)) != 0) {
        refuse(where, "size", "{} MiB is not a power of two", size);
    }
    if (!is_none(shmem.info) && shmem.info.pci() == nullptr) {
        refuse(where, "address", "shared memory has type='pci'");
    }
}

void check_tpms(const DomainDef& def) {
    const auto& tpms = def.devices.tpms;
    if (tpms.size() > 1) {
        refuse(tpms[1].info.where, "tpm", "a PC has one");
    }
    for (const TpmDef& tpm : tpms) {
        const xml::Where where = tpm.info.where;
        if (tpm.model == TpmModel::tpm_spapr || tpm.model == TpmModel::spapr_tpm_proxy) {
            refuse(where,
                   "tpm",
                   "model='{}' is not for a PC; use 'tpm-tis' or 'tpm-crb'",
                   name_of(*tpm.model));
        }
        const auto* emulator = std::get_if<EmulatorTpm>(&tpm.backend);
        if (emulator != nullptr && tpm.model == TpmModel::tpm_crb &&
            emulator->version == TpmVersion::v1_2) {
            refuse(where, "backend", "version='1.2': model 'tpm-crb' is of TPM 2.0");
        }
        if (emulator != nullptr && !emulator->active_pcr_banks.empty() &&
            emulator->version != TpmVersion::v2_0) {
            refuse(where, "active_pcr_banks", "they are of version='2.0'");
        }
    }
}

void check_iommu(const DomainDef& def, const IommuDef& iommu) {
    const xml::Where where = iommu.info.where;
    if (iommu.intremap == OnOff::on &&
        (!def.features || def.features->ioapic != IoapicDriver::qemu)) {
        refuse(where, "driver", "intremap='on' needs <features><ioapic driver='qemu'/></features>");
    }
    if (iommu.eim == OnOff::on && iommu.intremap != OnOff::on) {
        refuse(where, "driver", "eim='on' needs intremap='on'");
    }
}

void check_qemu_iommu(const DomainDef& def, const IommuDef& iommu) {
    const xml::Where where = iommu.info.where;
    if (iommu.model == IommuModel::smmuv3) {
        refuse(where, "iommu", "model='smmuv3' is not for a PC; use 'intel' or 'virtio'");
    }
    if (!def.os.is_q35()) {
        refuse(where,
               "iommu",
               "model='{}' needs a machine 'q35', not '{}'",
               name_of(iommu.model),
               *def.os.machine);
    }
    if (iommu.model == IommuModel::virtio && (!def.features || !def.features->acpi)) {
        refuse(where, "iommu", "model='virtio' is found by ACPI: add <features><acpi/></features>");
    }
    const bool options =
        iommu.intremap || iommu.caching_mode || iommu.eim || iommu.iotlb || iommu.aw_bits;
    if (iommu.model == IommuModel::virtio && options) {
        refuse(where, "driver", "its options are for model 'intel'");
    }
    if (iommu.model == IommuModel::intel && !is_none(iommu.info)) {
        refuse(where, "address", "model='intel' is part of the chipset and has none");
    }
}

void check_watchdogs(const DomainDef& def) {
    const auto& list = def.devices.watchdogs;
    for (const WatchdogDef& dog : list) {
        const xml::Where where = dog.info.where;
        if (&dog != &list.front()) {
            refuse(where, "watchdog", "there is another; one action is for all");
        }
        if (dog.model == WatchdogModel::diag288) {
            refuse(where, "watchdog", "model='diag288' is not for a PC; use 'i6300esb' or 'ib700'");
        }
        if (dog.model == WatchdogModel::ib700 && !is_none(dog.info)) {
            refuse(where, "address", "model='ib700' is on ISA and has none");
        }
        if (dog.model == WatchdogModel::i6300esb && !is_none(dog.info) &&
            dog.info.pci() == nullptr) {
            refuse(where, "address", "model='i6300esb' has type='pci'");
        }
    }
}

void check_panics(const DomainDef& def) {
    std::set<PanicModel> seen;
    for (const PanicDef& panic : def.devices.panics) {
        const xml::Where where = panic.info.where;
        if (!seen.insert(*panic.model).second) {
            refuse(where, "panic", "model='{}' is there twice", name_of(*panic.model));
        }
        if (panic.model == PanicModel::pseries || panic.model == PanicModel::s390) {
            refuse(where,
                   "panic",
                   "model='{}' is not for a PC; use 'isa' or 'hyperv'",
                   name_of(*panic.model));
        }
        if (panic.model == PanicModel::hyperv && !is_none(panic.info)) {
            refuse(where, "address", "model='hyperv' has none");
        }
        if (panic.model == PanicModel::isa && !is_none(panic.info) &&
            !std::holds_alternative<IsaAddress>(panic.info.address)) {
            refuse(where, "address", "model='isa' has type='isa'");
        }
    }
}

void check_smartcards(const DomainDef& def) {
    const auto& cards = def.devices.smartcards;
    if (cards.size() > 1) {
        refuse(cards[1].info.where, "smartcard", "QEMU emulates one card");
    }
    for (const SmartcardDef& card : cards) {
        const auto* at = std::get_if<CcidAddress>(&card.info.address);
        if (at != nullptr && (at->controller != 0 || at->slot != 0)) {
            refuse(card.info.where, "address", "the one card is in controller 0, slot 0");
        }
        const auto* own = std::get_if<CertificatesSmartcard>(&card.kind);
        constexpr std::size_t certificates = 3; // those of a common access card
        if (own != nullptr && own->certificates.size() != certificates) {
            refuse(card.info.where,
                   "certificate",
                   "there are {}; mode='host-certificates' needs {}",
                   own->certificates.size(),
                   certificates);
        }
        if (own != nullptr && own->database && !own->database->starts_with('/')) {
            refuse(card.info.where, "database", "'{}' is not an absolute path", *own->database);
        }
    }
}

void check_vsock(const VsockDef& vsock) {
    constexpr uint32_t first = 3; // below are the hypervisor and the host
    if (vsock.cid && *vsock.cid < first) {
        refuse(vsock.info.where,
               "cid",
               "address='{}': those of guests start at {}",
               *vsock.cid,
               first);
    }
    if (!vsock.cid && vsock.auto_cid != YesNo::yes) {
        refuse(vsock.info.where, "cid", "it needs address=, or auto='yes'");
    }
}

} // namespace

void validate_small_devices(const DomainDef& def) {
    const Devices& devices = def.devices;
    check_each(devices.inputs, [&](const InputDef& input) { check_input(input); });
    check_each(devices.shmems, [&](const ShmemDef& shmem) { check_shmem(shmem); });
    if (devices.iommu) {
        check_iommu(def, *devices.iommu);
    }
    for (const SmartcardDef& card : devices.smartcards) {
        if (!is_none(card.info) && !std::holds_alternative<CcidAddress>(card.info.address)) {
            refuse(card.info.where, "address", "a smart card has type='ccid'");
        }
    }
    if (devices.vsock && devices.vsock->cid.value_or(3) < 3) {
        check_vsock(*devices.vsock);
    }
}

void validate_qemu_small_devices(const DomainDef& def) {
    const Devices& devices = def.devices;
    for (const ShmemDef& shmem : devices.shmems) {
        check_qemu_shmem(shmem);
    }
    check_tpms(def);
    if (devices.iommu) {
        check_qemu_iommu(def, *devices.iommu);
    }
    check_watchdogs(def);
    check_panics(def);
    check_smartcards(def);
    if (devices.vsock) {
        check_vsock(*devices.vsock);
    }
    if (devices.memballoon && devices.memballoon->model == MemballoonModel::xen) {
        refuse(devices.memballoon->info.where, "memballoon", "model='xen' is not one of QEMU's");
    }
    for (const RedirdevDef& redirdev : devices.redirdevs) {
        if (!is_none(redirdev.info) && redirdev.info.usb() == nullptr) {
            refuse(redirdev.info.where, "address", "a redirected device has type='usb'");
        }
    }
}

} // namespace vireo::qemu
