// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/controller_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

namespace {

/// `model=` of one type of controller.
template <class M>
struct ModelOf {
    std::string parse(std::string_view text, ControllerModel& out) const {
        M model{};
        std::string wrong = xml::Value<M>{}.parse(text, model);
        out = model;
        return wrong;
    }

    void format(const ControllerModel& value, std::string& out) const {
        if (const M* model = std::get_if<M>(&value)) {
            out += name_of(*model);
        }
    }
};

template <ControllerType Type>
struct Is {
    bool operator()(const ControllerDef& c) const { return c.type == Type; }
};

/// The model of that type; not written where it has none.
template <class M>
auto model() {
    return xml::attr("model", &ControllerDef::model, ModelOf<M>{})
        .optional()
        .write_if([](const ControllerDef& c) { return std::holds_alternative<M>(c.model); });
}

} // namespace

static const xml::Type& describe(const PciControllerTarget*) {
    static const xml::Type type = xml::element<PciControllerTarget>(
        "target",
        xml::attr("index", &PciControllerTarget::index, xml::any_base),
        xml::attr("chassisNr", &PciControllerTarget::chassis_nr, xml::any_base),
        xml::attr("chassis", &PciControllerTarget::chassis, xml::any_base),
        xml::attr("port", &PciControllerTarget::port, xml::hex<1>),
        xml::attr("busNr", &PciControllerTarget::bus_nr, xml::any_base),
        xml::attr("hotplug", &PciControllerTarget::hotplug),
        xml::text("node", &PciControllerTarget::numa_node));
    return type;
}

static const xml::Type& describe(const ControllerDriver*) {
    static const xml::Type type =
        xml::element<ControllerDriver>("driver",
                                       xml::attr("queues", &ControllerDriver::queues),
                                       xml::attr("cmd_per_lun", &ControllerDriver::cmd_per_lun),
                                       xml::attr("max_sectors", &ControllerDriver::max_sectors),
                                       xml::attr("ioeventfd", &ControllerDriver::ioeventfd),
                                       xml::attr("iothread", &ControllerDriver::iothread),
                                       xml::embed(&ControllerDriver::virtio));
    return type;
}

const xml::Type& describe(const ControllerDef*) {
    using T = ControllerType;
    static const xml::Type type = xml::element<ControllerDef>(
        "controller",
        xml::attr("type", &ControllerDef::type),
        xml::attr("index", &ControllerDef::index),
        xml::when(Is<T::scsi>{}, model<ScsiModel>()),
        xml::when(Is<T::ide>{}, model<IdeModel>()),
        xml::when(Is<T::usb>{},
                  model<UsbModel>(),
                  xml::attr("ports", &ControllerDef::ports),
                  xml::group("master", xml::attr("startport", &ControllerDef::master_start_port))),
        xml::when(Is<T::virtio_serial>{},
                  model<VirtioModel>(),
                  xml::attr("ports", &ControllerDef::ports),
                  xml::attr("vectors", &ControllerDef::vectors)),
        xml::when(Is<T::pci>{},
                  model<PciModel>(),
                  xml::group("model", xml::attr("name", &ControllerDef::pci_device)),
                  xml::child(&ControllerDef::target).omit_empty(),
                  xml::text("pcihole64", &ControllerDef::pcihole64_kib, xml::kib)),
        xml::child(&ControllerDef::driver).omit_empty(),
        xml::embed(&ControllerDef::info));
    return type;
}

} // namespace vireo::qemu
