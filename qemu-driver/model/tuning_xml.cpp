// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/parse.hpp"
#include "qemu-driver/model/tuning_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const VcpuPin*) {
    static const xml::Type type = xml::element<VcpuPin>(
        "vcpupin", xml::attr("vcpu", &VcpuPin::vcpu), xml::attr("cpuset", &VcpuPin::cpuset));
    return type;
}

static const xml::Type& describe(const IothreadPin*) {
    static const xml::Type type =
        xml::element<IothreadPin>("iothreadpin",
                                  xml::attr("iothread", &IothreadPin::iothread),
                                  xml::attr("cpuset", &IothreadPin::cpuset));
    return type;
}

static const xml::Type& describe(const VcpuScheduler*) {
    static const xml::Type type =
        xml::element<VcpuScheduler>("vcpusched",
                                    xml::attr("vcpus", &VcpuScheduler::ids),
                                    xml::attr("scheduler", &EmulatorScheduler::scheduler),
                                    xml::attr("priority", &EmulatorScheduler::priority));
    return type;
}

static const xml::Type& describe(const IothreadScheduler*) {
    static const xml::Type type =
        xml::element<IothreadScheduler>("iothreadsched",
                                        xml::attr("iothreads", &IothreadScheduler::ids),
                                        xml::attr("scheduler", &EmulatorScheduler::scheduler),
                                        xml::attr("priority", &EmulatorScheduler::priority));
    return type;
}

static const xml::Type& describe(const EmulatorScheduler*) {
    static const xml::Type type =
        xml::element<EmulatorScheduler>("emulatorsched",
                                        xml::attr("scheduler", &EmulatorScheduler::scheduler),
                                        xml::attr("priority", &EmulatorScheduler::priority));
    return type;
}

static const xml::Type& describe(const CacheTuneCache*) {
    static const xml::Type type =
        xml::element<CacheTuneCache>("cache",
                                     xml::attr("id", &CacheTuneCache::id),
                                     xml::attr("level", &CacheTuneCache::level),
                                     xml::attr("type", &CacheTuneCache::type),
                                     xml::attr("size", &CacheTuneCache::size_kib, xml::kib));
    return type;
}

namespace {

void parse_cache(CacheTune& tune, const xml::Node& node, xml::Problems& problems) {
    xml::read(tune.caches.emplace_back(), node, problems);
}

/// As the description has it, but in the biggest unit.
void format_caches(const CacheTune& tune, xml::Writer& writer) {
    for (const CacheTuneCache& cache : tune.caches) {
        const ShortSize size(cache.size_kib * 1024);
        writer.open("cache");
        writer.attribute("id", fmt::format("{}", cache.id));
        writer.attribute("level", fmt::format("{}", cache.level));
        writer.attribute("type", name_of(cache.type));
        writer.attribute("size", fmt::format("{}", size.value));
        writer.attribute("unit", size.unit);
        writer.close();
    }
}

} // namespace

static const xml::Type& describe(const CacheTuneMonitor*) {
    static const xml::Type type =
        xml::element<CacheTuneMonitor>("monitor",
                                       xml::attr("level", &CacheTuneMonitor::level),
                                       xml::attr("vcpus", &CacheTuneMonitor::vcpus));
    return type;
}

static const xml::Type& describe(const CacheTune*) {
    static const xml::Type type =
        xml::element<CacheTune>("cachetune",
                                xml::attr("vcpus", &CacheTune::vcpus),
                                xml::attr("id", &CacheTune::id),
                                xml::custom<&parse_cache, &format_caches>("cache"),
                                xml::child(&CacheTune::monitors));
    return type;
}

static const xml::Type& describe(const MemoryTuneNode*) {
    static const xml::Type type =
        xml::element<MemoryTuneNode>("node",
                                     xml::attr("id", &MemoryTuneNode::id),
                                     xml::attr("bandwidth", &MemoryTuneNode::bandwidth));
    return type;
}

static const xml::Type& describe(const MemoryTuneMonitor*) {
    static const xml::Type type =
        xml::element<MemoryTuneMonitor>("monitor", xml::attr("vcpus", &MemoryTuneMonitor::vcpus));
    return type;
}

static const xml::Type& describe(const MemoryTune*) {
    static const xml::Type type = xml::element<MemoryTune>("memorytune",
                                                           xml::attr("vcpus", &MemoryTune::vcpus),
                                                           xml::child(&MemoryTune::nodes),
                                                           xml::child(&MemoryTune::monitors));
    return type;
}

const xml::Type& describe(const CputuneDef*) {
    static const xml::Type type = xml::element<CputuneDef>(
        "cputune",
        xml::text("shares", &CputuneDef::shares),
        xml::text("period", &CputuneDef::period_us),
        xml::text("quota", &CputuneDef::quota_us),
        xml::text("global_period", &CputuneDef::global_period_us),
        xml::text("global_quota", &CputuneDef::global_quota_us),
        xml::text("emulator_period", &CputuneDef::emulator_period_us),
        xml::text("emulator_quota", &CputuneDef::emulator_quota_us),
        xml::text("iothread_period", &CputuneDef::iothread_period_us),
        xml::text("iothread_quota", &CputuneDef::iothread_quota_us),
        xml::child(&CputuneDef::vcpu_pins),
        xml::group("emulatorpin", xml::attr("cpuset", &CputuneDef::emulator_pin)),
        xml::child(&CputuneDef::iothread_pins),
        xml::child(&CputuneDef::emulator_scheduler),
        xml::child(&CputuneDef::vcpu_schedulers),
        xml::child(&CputuneDef::iothread_schedulers),
        xml::child(&CputuneDef::cache_tunes),
        xml::child(&CputuneDef::memory_tunes));
    return type;
}

const xml::Type& describe(const MemtuneDef*) {
    static const xml::Type type = xml::element<MemtuneDef>(
        "memtune",
        xml::text("hard_limit", &MemtuneDef::hard_limit_kib, xml::kib),
        xml::text("soft_limit", &MemtuneDef::soft_limit_kib, xml::kib),
        xml::text("min_guarantee", &MemtuneDef::min_guarantee_kib, xml::kib),
        xml::text("swap_hard_limit", &MemtuneDef::swap_hard_limit_kib, xml::kib));
    return type;
}

static const xml::Type& describe(const BlkioDevice*) {
    static const xml::Type type =
        xml::element<BlkioDevice>("device",
                                  xml::text("path", &BlkioDevice::path),
                                  xml::text("weight", &BlkioDevice::weight),
                                  xml::text("read_iops_sec", &BlkioDevice::read_iops_sec),
                                  xml::text("write_iops_sec", &BlkioDevice::write_iops_sec),
                                  xml::text("read_bytes_sec", &BlkioDevice::read_bytes_sec),
                                  xml::text("write_bytes_sec", &BlkioDevice::write_bytes_sec));
    return type;
}

const xml::Type& describe(const BlkiotuneDef*) {
    static const xml::Type type =
        xml::element<BlkiotuneDef>("blkiotune",
                                   xml::text("weight", &BlkiotuneDef::weight),
                                   xml::child(&BlkiotuneDef::devices));
    return type;
}

static const xml::Type& describe(const NumaMemory*) {
    static const xml::Type type =
        xml::element<NumaMemory>("memory",
                                 xml::attr("mode", &NumaMemory::mode),
                                 xml::attr("nodeset", &NumaMemory::nodeset),
                                 xml::attr("placement", &NumaMemory::placement));
    return type;
}

static const xml::Type& describe(const NumaMemnode*) {
    static const xml::Type type =
        xml::element<NumaMemnode>("memnode",
                                  xml::attr("cellid", &NumaMemnode::cell),
                                  xml::attr("mode", &NumaMemnode::mode),
                                  xml::attr("nodeset", &NumaMemnode::nodeset));
    return type;
}

const xml::Type& describe(const NumatuneDef*) {
    static const xml::Type type = xml::element<NumatuneDef>(
        "numatune", xml::child(&NumatuneDef::memory), xml::child(&NumatuneDef::memnodes));
    return type;
}

} // namespace vireo::qemu
