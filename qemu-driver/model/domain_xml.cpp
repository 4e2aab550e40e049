// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/model/qemu_namespace_xml.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const GenidDef*) {
    static const xml::Type type =
        xml::element<GenidDef>("genid", xml::content(&GenidDef::uuid, xml::uuid));
    return type;
}

static const xml::Type& describe(const ThreadPool*) {
    static const xml::Type type =
        xml::element<ThreadPool>("defaultiothread",
                                 xml::attr("thread_pool_min", &ThreadPool::min),
                                 xml::attr("thread_pool_max", &ThreadPool::max));
    return type;
}

static const xml::Type& describe(const IothreadDef*) {
    static const xml::Type type = xml::element<IothreadDef>(
        "iothread", xml::attr("id", &IothreadDef::id), xml::embed(&IothreadDef::pool));
    return type;
}

static const xml::Type& describe(const PmDef*) {
    static const xml::Type type = xml::element<PmDef>(
        "pm",
        xml::group("suspend-to-mem", xml::attr("enabled", &PmDef::suspend_to_mem)),
        xml::group("suspend-to-disk", xml::attr("enabled", &PmDef::suspend_to_disk)));
    return type;
}

static const xml::Type& describe(const Devices*) {
    using D = Devices;
    static const xml::Type type = xml::element<D>("devices",
                                                  xml::text("emulator", &D::emulator),
                                                  xml::child(&D::disks),
                                                  xml::child(&D::controllers),
                                                  xml::child(&D::leases),
                                                  xml::child(&D::filesystems),
                                                  xml::child(&D::interfaces),
                                                  xml::child(&D::smartcards),
                                                  xml::child(&D::serials),
                                                  xml::child(&D::parallels),
                                                  xml::child(&D::consoles),
                                                  xml::child(&D::channels),
                                                  xml::child(&D::inputs),
                                                  xml::child(&D::tpms),
                                                  xml::child(&D::graphics),
                                                  xml::child(&D::sounds),
                                                  xml::child(&D::audios),
                                                  xml::child(&D::videos),
                                                  xml::child(&D::hostdevs),
                                                  xml::child(&D::redirdevs),
                                                  xml::child(&D::redirfilter),
                                                  xml::child(&D::hubs),
                                                  xml::child(&D::watchdogs),
                                                  xml::child(&D::memballoon),
                                                  xml::child(&D::rngs),
                                                  xml::child(&D::panics),
                                                  xml::child(&D::shmems),
                                                  xml::child(&D::memories),
                                                  xml::child(&D::iommu),
                                                  xml::child(&D::vsock),
                                                  xml::child(&D::cryptos),
                                                  xml::raw("nvram", &D::nvram));
    return type;
}

const xml::Type& describe(const DomainDef*) {
    using D = DomainDef;
    static const xml::Type type = xml::element<D>(
        "domain",
        xml::attr("type", &D::type),
        xml::attr("id", &D::id),
        xml::text("name", &D::name),
        xml::text("uuid", &D::uuid, xml::uuid),
        xml::child(&D::genid),
        xml::text("title", &D::title),
        xml::text("description", &D::description),
        xml::raw("metadata", &D::metadata),
        xml::embed(&D::memory),
        xml::child(&D::blkiotune),
        xml::child(&D::memtune).omit_empty(),
        xml::child(&D::memory_backing),
        xml::embed(&D::vcpus),
        xml::text("iothreads", &D::iothread_count),
        xml::group("iothreadids", xml::child(&D::iothreads)),
        xml::child(&D::default_iothread),
        xml::child(&D::cputune),
        xml::child(&D::numatune),
        xml::child(&D::resource).omit_empty(),
        xml::child(&D::sysinfos),
        xml::text("bootloader", &D::bootloader),
        xml::text("bootloader_args", &D::bootloader_args),
        xml::child("os", &D::os),
        xml::child(&D::idmap).omit_empty(),
        xml::child(&D::features),
        xml::child(&D::cpu),
        xml::child("clock", &D::clock).optional(),
        xml::text("on_poweroff", &D::on_poweroff),
        xml::text("on_reboot", &D::on_reboot),
        xml::text("on_crash", &D::on_crash),
        xml::text("on_lockfailure", &D::on_lockfailure),
        xml::child(&D::pm),
        xml::group("perf", xml::child(&D::perf)),
        xml::child("devices", &D::devices).optional(),
        xml::child(&D::seclabels),
        xml::child(&D::launch_security),
        xml::raw("keywrap", &D::keywrap),
        xml::child("commandline", &D::qemu_commandline).in(qemu_namespace),
        xml::child("capabilities", &D::qemu_capabilities).in(qemu_namespace),
        xml::group("deprecation", xml::attr("behavior", &D::qemu_deprecation)).in(qemu_namespace),
        xml::group("override", xml::child(&D::qemu_overrides)).in(qemu_namespace));
    return type;
}

} // namespace vireo::qemu
