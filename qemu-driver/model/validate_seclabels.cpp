// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/refusals.hpp"
#include "qemu-driver/model/validate.hpp"

#include <set>

namespace vireo::qemu {

namespace {

void check_label(const SeclabelDef& label) {
    const SeclabelType type = label.type.value_or(SeclabelType::dynamic);
    if (type == SeclabelType::dynamic && label.relabel == YesNo::no) {
        refuse(
            label.where, "seclabel", "type='dynamic' is given to the guest's files: relabel='yes'");
    }
    if (type == SeclabelType::none && label.relabel == YesNo::yes) {
        refuse(label.where, "seclabel", "type='none' has no label to give: relabel='no'");
    }
    if (type == SeclabelType::static_ && !label.label) {
        refuse(label.where, "seclabel", "type='static' needs a <label>");
    }
}

void check_overrides(const DomainDef& def,
                     const std::vector<SeclabelOverride>& overrides,
                     xml::Where where) {
    std::set<std::string> models;
    for (const SeclabelOverride& o : overrides) {
        if (overrides.size() > 1 && !o.model) {
            refuse(where, "seclabel", "where there are several, each needs model=");
        }
        if (!models.insert(o.model.value_or("")).second) {
            refuse(where, "seclabel", "model='{}' is there twice", o.model.value_or(""));
        }
        if (o.label && o.relabel == YesNo::no) {
            refuse(where, "seclabel", "relabel='no' gives no <label>");
        }
        for (const SeclabelDef& label : def.seclabels) {
            if (label.model == o.model && label.relabel == YesNo::no) {
                refuse(where,
                       "seclabel",
                       "the domain's <seclabel> has relabel='no': nothing is labelled");
            }
        }
    }
}

void check_overrides(const DomainDef& def, const ChardevSource& source, xml::Where where) {
    std::visit(
        [&](const auto& backend) {
            if constexpr (requires { backend.seclabels; }) {
                check_overrides(def, backend.seclabels, where);
            }
        },
        source.backend);
}

} // namespace

void validate_seclabels(const DomainDef& def) {
    std::set<std::string> models;
    const auto domain = [&](const SeclabelDef& label) {
        check_label(label);
        if (def.seclabels.size() > 1 && !label.model) {
            refuse(label.where, "seclabel", "where there are several, each needs model=");
        }
        if (!models.insert(label.model.value_or("")).second) {
            refuse(label.where, "seclabel", "model='{}' is there twice", label.model.value_or(""));
        }
    };
    const auto disk = [&](const DiskDef& d) {
        for (const DiskImage* image = &d.image; image != nullptr; image = image->base()) {
            check_overrides(def, image->seclabels, d.info.where);
        }
    };
    const auto chardev = [&](const auto& device) {
        check_overrides(def, device.source, device.info.where);
    };
    check_all([&] { check_each(def.seclabels, domain); },
              [&] { check_each(def.devices.disks, disk); },
              [&] { check_each(def.devices.serials, chardev); },
              [&] { check_each(def.devices.parallels, chardev); },
              [&] { check_each(def.devices.consoles, chardev); },
              [&] { check_each(def.devices.channels, chardev); });
}

} // namespace vireo::qemu
