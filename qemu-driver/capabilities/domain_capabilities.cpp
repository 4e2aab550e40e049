// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/xml/writer.hpp"
#include "qemu-driver/capabilities/host_capabilities.hpp"

#include <algorithm>
#include <initializer_list>

namespace vireo::qemu {

namespace {

/// Models of QEMU that the documents of libvirt 9.0 do not have: its clients cannot choose them.
constexpr std::string_view unheard_of[] = {"Denverton", "KnightsMill"};

using xml::Writer;
using Values = std::vector<std::string>;

/// A value of an enumeration that is there only when QEMU has what it needs.
struct Choice {
    const char* value;
    bool there;
};

Values chosen(std::initializer_list<Choice> choices) {
    Values values;
    for (const Choice& choice : choices) {
        if (choice.there) {
            values.emplace_back(choice.value);
        }
    }
    return values;
}

void write_enum(Writer& out, const char* name, const Values& values) {
    out.open("enum");
    out.attribute("name", name);
    for (const std::string& value : values) {
        out.element("value", value);
    }
    out.close();
}

/// Writes one document; the parts share what was asked.
class DomainCapsWriter {
  public:
    DomainCapsWriter(const QemuCapabilities& caps,
                     const MachineType& machine,
                     const DomainCapsRequest& request)
        : caps_(caps), machine_(machine), request_(request) {}

    std::string write() {
        out_.open("domainCapabilities");
        out_.element("path", caps_.binary);
        out_.element("domain", request_.kvm ? "kvm" : "qemu");
        out_.element("machine", machine_.name);
        out_.element("arch", caps_.arch == "i386" ? "i686" : caps_.arch);
        out_.open("vcpu");
        out_.attribute("max", std::to_string(machine_.max_cpus));
        out_.close();
        supported("iothreads", has("iothread"));
        write_os();
        write_cpu();
        write_memory_backing();
        out_.open("devices");
        write_devices();
        out_.close();
        write_features();
        out_.close();
        return out_.take();
    }

  private:
    bool has(const char* type) const { return caps_.has_type(type); }

    bool is_q35() const { return machine_.name.starts_with("pc-q35"); }

    void supported(const char* name, bool yes) {
        open(name, yes);
        out_.close();
    }

    void open(const char* name, bool yes) {
        out_.open(name);
        out_.attribute("supported", yes ? "yes" : "no");
    }

    void write_os() {
        open("os", true);
        write_enum(out_, "firmware", request_.firmware);
        open("loader", true);
        for (const std::string& path : request_.loaders) {
            out_.element("value", path);
        }
        write_enum(out_, "type", chosen({{"rom", true}, {"pflash", true}}));
        write_enum(out_, "readonly", chosen({{"yes", true}, {"no", true}}));
        write_enum(out_, "secure", chosen({{"yes", is_q35()}, {"no", true}}));
        out_.close();
        out_.close();
    }

    void mode(const char* name, bool yes, const char* switch_name) {
        out_.open("mode");
        out_.attribute("name", name);
        out_.attribute("supported", yes ? "yes" : "no");
        if (yes && switch_name) {
            write_enum(out_, switch_name, chosen({{"on", true}, {"off", true}}));
        }
        out_.close();
    }

    void write_cpu() {
        out_.open("cpu");
        mode("host-passthrough", request_.kvm, "hostPassthroughMigratable");
        mode("maximum", true, "maximumMigratable");
        write_host_model();
        write_custom_models();
        out_.close();
    }

    void write_host_model() {
        out_.open("mode");
        out_.attribute("name", "host-model");
        out_.attribute("supported", request_.host_model ? "yes" : "no");
        if (const auto& choice = request_.host_model) {
            out_.open("model");
            out_.attribute("fallback", "forbid");
            out_.text(choice->model);
            out_.close();
            out_.element("vendor", choice->vendor);
            write_features("require", choice->required);
            write_features("disable", choice->disabled);
        }
        out_.close();
    }

    void write_features(const char* policy, const CpuFeatures& features) {
        for (std::size_t i = 0; i < cpu_feature_names().size(); ++i) {
            if (features[i]) {
                out_.open("feature");
                out_.attribute("policy", policy);
                out_.attribute("name", libvirt_feature(cpu_feature_names()[i]));
                out_.close();
            }
        }
    }

    void write_custom_models() {
        out_.open("mode");
        out_.attribute("name", "custom");
        out_.attribute("supported", "yes");
        for (const CpuModel& model : caps_.cpu_models(request_.kvm)) {
            if (!is_named_model(model.name) || std::ranges::count(unheard_of, model.name) != 0) {
                continue;
            }
            out_.open("model");
            out_.attribute("usable", model.usable() ? "yes" : "no");
            if (model.deprecated) {
                out_.attribute("deprecated", "yes");
            }
            out_.attribute("vendor", vendor_of(model.name));
            out_.text(model.name);
            out_.close();
        }
        out_.close();
    }

    std::string vendor_of(const std::string& model) const {
        const auto known = request_.models
                               ? std::ranges::find(*request_.models, model, &NamedCpu::name)
                               : CpuModels::const_iterator();
        const bool found = request_.models && known != request_.models->end();
        return found && !is_generic_model(model) ? known->facts.vendor : "unknown";
    }

    void write_memory_backing() {
        open("memoryBacking", true);
        write_enum(out_,
                   "sourceType",
                   chosen({{"file", has("memory-backend-file")},
                           {"anonymous", true},
                           {"memfd", has("memory-backend-memfd")}}));
        out_.close();
    }

    void device(const char* name, const char* key, const Values& values) {
        open(name, !values.empty());
        if (!values.empty()) {
            write_enum(out_, key, values);
        }
        out_.close();
    }

    static Values virtio_models() {
        return {"virtio", "virtio-transitional", "virtio-non-transitional"};
    }

    void write_devices() {
        write_disk();
        device("graphics",
               "type",
               chosen({{"sdl", caps_.display_types.contains("sdl")},
                       {"vnc", caps_.has_option("vnc")},
                       {"spice", caps_.has_option("spice")},
                       {"egl-headless", caps_.display_types.contains("egl-headless")},
                       {"dbus", caps_.display_types.contains("dbus")}}));
        device("video",
               "modelType",
               chosen({{"vga", has("VGA")},
                       {"cirrus", has("cirrus-vga")},
                       {"vmvga", has("vmware-svga")},
                       {"qxl", has("qxl")},
                       {"virtio", has("virtio-gpu-pci")},
                       {"none", true},
                       {"bochs", has("bochs-display")},
                       {"ramfb", has("ramfb")}}));
        supported("hostdev", false);
        open("rng", has("virtio-rng-pci"));
        if (has("virtio-rng-pci")) {
            write_enum(out_, "model", virtio_models());
            write_enum(out_,
                       "backendModel",
                       chosen({{"random", has("rng-random")},
                               {"egd", has("rng-egd")},
                               {"builtin", has("rng-builtin")}}));
        }
        out_.close();
        device("channel",
               "type",
               chosen({{"pty", caps_.chardev_types.contains("pty")},
                       {"unix", caps_.chardev_types.contains("socket")},
                       {"spicevmc", caps_.chardev_types.contains("spicevmc")}}));
    }

    void write_disk() {
        open("disk", true);
        write_enum(out_,
                   "diskDevice",
                   chosen({{"disk", true}, {"cdrom", true}, {"floppy", true}, {"lun", true}}));
        write_enum(out_,
                   "bus",
                   chosen({{"ide", !is_q35()},
                           {"fdc", true},
                           {"scsi", has("virtio-scsi-pci")},
                           {"virtio", has("virtio-blk-pci")},
                           {"usb", has("usb-storage")},
                           {"sata", has("ich9-ahci")}}));
        write_enum(out_, "model", virtio_models());
        out_.close();
    }

    void write_features() {
        out_.open("features");
        supported("gic", false);
        supported("vmcoreinfo", false);
        supported("genid", false);
        supported("backingStoreInput", true);
        supported("backup", false);
        supported("sev", false);
        supported("sgx", false);
        supported("hyperv", request_.kvm);
        out_.close();
    }

    const QemuCapabilities& caps_;
    const MachineType& machine_;
    const DomainCapsRequest& request_;
    Writer out_;
};

} // namespace

std::string domain_capabilities_xml(const QemuCapabilities& caps,
                                    const DomainCapsRequest& request) {
    const MachineType* machine =
        request.machine.empty() ? caps.default_machine() : caps.machine(request.machine);
    if (!machine) {
        throw Error(ErrorCode::invalid_arg,
                    "'{}' has no machine '{}'",
                    caps.binary,
                    request.machine.empty() ? "(default)" : request.machine);
    }
    if (request.kvm && !caps.kvm_enabled) {
        throw Error(ErrorCode::invalid_arg, "virttype 'kvm': KVM does not work on this host");
    }
    return DomainCapsWriter(caps, *machine, request).write();
}

} // namespace vireo::qemu
