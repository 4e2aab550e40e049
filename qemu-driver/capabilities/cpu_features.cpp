// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/cpu_features.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

namespace vireo::qemu {

namespace {

/// The names by register, each a text.
constexpr std::string_view registers[] = {
    // 1, EDX
    "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 pn clflush "
    "ds acpi mmx fxsr sse sse2 ss ht tm ia64 pbe",
    // 1, ECX
    "pni pclmulqdq dtes64 monitor ds-cpl vmx smx est tm2 ssse3 cid fma cx16 xtpr pdcm "
    "pcid dca sse4.1 sse4.2 x2apic movbe popcnt tsc-deadline aes xsave avx f16c rdrand "
    "hypervisor",
    // 6, EAX
    "arat",
    // 7.0, EBX
    "fsgsbase tsc-adjust sgx bmi1 hle avx2 smep bmi2 erms invpcid rtm mpx avx512f "
    "avx512dq rdseed adx smap avx512ifma pcommit clflushopt clwb intel-pt avx512pf "
    "avx512er avx512cd sha-ni avx512bw avx512vl",
    // 7.0, ECX
    "avx512vbmi umip pku waitpkg avx512vbmi2 gfni vaes vpclmulqdq avx512vnni avx512bitalg "
    "avx512-vpopcntdq la57 rdpid bus-lock-detect cldemote movdiri movdir64b sgxlc pks",
    // 7.0, EDX
    "avx512-4vnniw avx512-4fmaps fsrm avx512-vp2intersect md-clear serialize tsx-ldtrk "
    "arch-lbr amx-bf16 avx512-fp16 amx-tile amx-int8 spec-ctrl stibp flush-l1d "
    "arch-capabilities core-capability ssbd",
    // 7.1, EAX and EDX
    "avx-vnni avx512-bf16 cmpccxadd fzrm fsrs fsrc amx-fp16 avx-ifma avx-vnni-int8 "
    "avx-ne-convert prefetchiti",
    // 7.2, EDX
    "mcdt-no",
    // 0xd.1, EAX
    "xsaveopt xsavec xgetbv1 xsaves xfd",
    // 0x80000001, EDX
    "syscall nx mmxext fxsr-opt pdpe1gb rdtscp lm 3dnowext 3dnow",
    // 0x80000001, ECX
    "lahf-lm cmp-legacy svm extapic cr8legacy abm sse4a misalignsse 3dnowprefetch osvw "
    "ibs xop skinit wdt lwp fma4 tce nodeid-msr tbm topoext perfctr-core perfctr-nb",
    // 0x80000007, EDX
    "invtsc",
    // 0x80000008, EBX
    "clzero xsaveerptr wbnoinvd ibpb ibrs amd-stibp stibp-always-on amd-ssbd virt-ssbd "
    "amd-no-ssb amd-psfd",
    // 0x8000000a, EDX
    "npt lbrv svm-lock nrip-save tsc-scale vmcb-clean flushbyasid decodeassists "
    "pause-filter pfthreshold avic v-vmsave-vmload vgif vnmi svme-addr-chk",
    // 0x80000021, EAX
    "no-nested-data-bp lfence-always-serializing null-sel-clr-base auto-ibrs",
    // the register IA32_ARCH_CAPABILITIES
    "rdctl-no ibrs-all rsba skip-l1dfl-vmentry ssb-no mds-no pschange-mc-no tsx-ctrl "
    "taa-no sbdr-ssdp-no fbsdp-no psdp-no fb-clear pbrsb-no",
    // the register IA32_CORE_CAPABILITIES
    "split-lock-detect",
};

std::vector<std::string_view> split_names() {
    std::vector<std::string_view> all;
    for (std::string_view text : registers) {
        while (!text.empty()) {
            const std::size_t end = std::min(text.find(' '), text.size());
            all.push_back(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }
    return all;
}

const std::vector<std::string_view>& names() {
    static const std::vector<std::string_view> all = split_names();
    return all;
}

struct OtherName {
    std::string_view libvirt;
    std::string_view qemu;
};

constexpr auto other_names = std::to_array<OtherName>({{"cmp_legacy", "cmp-legacy"},
                                                       {"ds_cpl", "ds-cpl"},
                                                       {"fxsr_opt", "fxsr-opt"},
                                                       {"lahf_lm", "lahf-lm"},
                                                       {"nodeid_msr", "nodeid-msr"},
                                                       {"pclmuldq", "pclmulqdq"},
                                                       {"perfctr_core", "perfctr-core"},
                                                       {"perfctr_nb", "perfctr-nb"},
                                                       {"tsc_adjust", "tsc-adjust"}});

constexpr std::string_view not_of_models[] = {"hypervisor", "monitor", "ss", "topoext"};

} // namespace

std::span<const std::string_view> cpu_feature_names() {
    return names();
}

std::optional<std::size_t> cpu_feature(std::string_view name) {
    static const auto places = [] {
        std::map<std::string_view, std::size_t> all;
        for (std::size_t i = 0; i < names().size(); ++i) {
            all.emplace(names()[i], i);
        }
        for (const OtherName& other : other_names) {
            all.emplace(other.libvirt, all.at(other.qemu));
        }
        return all;
    }();
    const auto found = places.find(name);
    return found == places.end() ? std::nullopt : std::optional(found->second);
}

std::string_view libvirt_feature(std::string_view qemu) {
    const auto other = std::ranges::find(other_names, qemu, &OtherName::qemu);
    return other == other_names.end() ? qemu : other->libvirt;
}

std::string qemu_feature(std::string_view libvirt) {
    if (const auto known = cpu_feature(libvirt)) {
        return std::string(names()[*known]);
    }
    std::string name(libvirt);
    std::ranges::replace(name, '_', '-');
    return name;
}

bool is_of_models(std::size_t feature) {
    return std::ranges::count(not_of_models, names()[feature]) == 0;
}

} // namespace vireo::qemu
