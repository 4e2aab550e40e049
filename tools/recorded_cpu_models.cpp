// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/recorded_cpu_models.hpp"

#include <algorithm>
#include <string_view>

namespace vireo::tool {

namespace {

/// A model, by what it is more or less than another one above it.
struct Row {
    std::string_view name, vendor;
    std::string_view base, more, less;
};

// What libvirt 9.0's CPU map (src/cpu_map/x86_*.xml) says of each model that is not for RHEL alone,
// in its order. What is marked as removed there is not in it.
constexpr Row rows[] = {
    {"486", "", "", "fpu vme pse", ""},
    {"pentium", "", "486", "de tsc msr mce cx8 mmx", ""},
    {"pentium2", "", "pentium", "pae sep mtrr pge mca cmov pat pse36 fxsr", ""},
    {"pentium3", "", "pentium2", "sse", ""},
    {"pentiumpro", "", "pentium3", "apic sse2", "vme mtrr mca pse36"},
    {"coreduo", "Intel", "pentiumpro", "vme mtrr mca clflush pni monitor nx", ""},
    {"n270", "Intel", "coreduo", "ssse3", ""},
    {"core2duo", "Intel", "n270", "pse36 syscall lm", ""},
    {"qemu32", "", "pentiumpro", "pni", ""},
    {"kvm32", "", "qemu32", "mtrr mca pse36 clflush", ""},
    {"qemu64", "", "kvm32", "cx16 syscall nx lm svm", ""},
    {"kvm64", "", "qemu64", "", "svm"},
    {"Conroe", "Intel", "kvm64", "ssse3 lahf-lm", "cx16"},
    {"Penryn", "Intel", "Conroe", "cx16 sse4.1", ""},
    {"Nehalem", "Intel", "Penryn", "sse4.2 popcnt", ""},
    {"Nehalem-IBRS", "Intel", "Nehalem", "spec-ctrl", ""},
    {"Westmere", "Intel", "Nehalem", "aes", ""},
    {"Westmere-IBRS", "Intel", "Westmere", "spec-ctrl", ""},
    {"SandyBridge", "Intel", "Westmere", "pclmulqdq x2apic tsc-deadline xsave avx rdtscp", ""},
    {"SandyBridge-IBRS", "Intel", "SandyBridge", "spec-ctrl", ""},
    {"IvyBridge", "Intel", "SandyBridge", "vme f16c rdrand fsgsbase smep erms", ""},
    {"IvyBridge-IBRS", "Intel", "IvyBridge", "spec-ctrl", ""},
    {"Haswell-noTSX",
     "Intel",
     "IvyBridge",
     "fma pcid movbe bmi1 avx2 bmi2 invpcid",
     "vme f16c rdrand"},
    {"Haswell-noTSX-IBRS", "Intel", "Haswell-noTSX", "spec-ctrl", ""},
    {"Haswell", "Intel", "Haswell-noTSX", "hle rtm", ""},
    {"Haswell-IBRS", "Intel", "Haswell", "spec-ctrl", ""},
    {"Broadwell-noTSX", "Intel", "Haswell-noTSX", "rdseed adx smap 3dnowprefetch", ""},
    {"Broadwell-noTSX-IBRS", "Intel", "Broadwell-noTSX", "spec-ctrl", ""},
    {"Broadwell", "Intel", "Broadwell-noTSX", "hle rtm", ""},
    {"Broadwell-IBRS", "Intel", "Broadwell", "spec-ctrl", ""},
    {"Skylake-Client",
     "Intel",
     "Broadwell",
     "vme f16c rdrand arat mpx xsaveopt xsavec xgetbv1 abm",
     ""},
    {"Skylake-Client-IBRS", "Intel", "Skylake-Client", "spec-ctrl", ""},
    {"Skylake-Client-noTSX-IBRS", "Intel", "Skylake-Client-IBRS", "", "hle rtm"},
    {"Skylake-Server",
     "Intel",
     "Skylake-Client",
     "avx512f avx512dq clwb avx512cd avx512bw avx512vl pdpe1gb",
     ""},
    {"Skylake-Server-IBRS", "Intel", "Skylake-Server", "spec-ctrl", ""},
    {"Skylake-Server-noTSX-IBRS", "Intel", "Skylake-Server-IBRS", "", "hle rtm"},
    {"Cascadelake-Server", "Intel", "Skylake-Server-IBRS", "clflushopt avx512vnni ssbd", ""},
    {"Cascadelake-Server-noTSX", "Intel", "Cascadelake-Server", "", "hle rtm"},
    {"Icelake-Client",
     "Intel",
     "Skylake-Client-IBRS",
     "avx512vbmi umip pku avx512vbmi2 gfni vaes vpclmulqdq avx512vnni avx512bitalg "
     "avx512-vpopcntdq ssbd wbnoinvd",
     ""},
    {"Icelake-Client-noTSX", "Intel", "Icelake-Client", "", "hle rtm"},
    {"Icelake-Server",
     "Intel",
     "Icelake-Client",
     "avx512f avx512dq clflushopt clwb avx512cd avx512bw avx512vl la57 pdpe1gb",
     ""},
    {"Icelake-Server-noTSX", "Intel", "Icelake-Server", "", "hle rtm"},
    {"Cooperlake",
     "Intel",
     "Cascadelake-Server",
     "pku stibp arch-capabilities avx512-bf16 rdctl-no ibrs-all skip-l1dfl-vmentry mds-no "
     "pschange-mc-no taa-no",
     "mpx"},
    {"Snowridge",
     "Intel",
     "IvyBridge-IBRS",
     "movbe arat rdseed smap clflushopt clwb sha-ni umip gfni cldemote movdiri movdir64b "
     "arch-capabilities core-capability ssbd xsaveopt xsavec xgetbv1 pdpe1gb 3dnowprefetch "
     "split-lock-detect",
     "avx f16c"},
    {"athlon", "AMD", "pentiumpro", "vme mtrr pse36 mmxext 3dnowext 3dnow", ""},
    {"phenom", "AMD", "qemu64", "monitor mmxext fxsr-opt 3dnowext 3dnow", "cx16"},
    {"Opteron_G1", "AMD", "kvm64", "", "cx16"},
    {"Opteron_G2", "AMD", "qemu64", "rdtscp lahf-lm", ""},
    {"Opteron_G3", "AMD", "Opteron_G2", "popcnt abm sse4a misalignsse", ""},
    {"Opteron_G4",
     "AMD",
     "SandyBridge",
     "pdpe1gb svm abm sse4a misalignsse 3dnowprefetch xop fma4",
     "x2apic tsc-deadline"},
    {"Opteron_G5", "AMD", "Opteron_G4", "fma f16c tbm", ""},
    {"EPYC",
     "AMD",
     "Skylake-Client-noTSX-IBRS",
     "clflushopt sha-ni mmxext fxsr-opt pdpe1gb svm cr8legacy sse4a misalignsse osvw",
     "pcid x2apic tsc-deadline erms invpcid mpx spec-ctrl"},
    {"EPYC-IBPB", "AMD", "EPYC", "ibpb", ""},
    {"EPYC-Rome",
     "AMD",
     "EPYC-IBPB",
     "clwb umip rdpid perfctr-core clzero xsaveerptr wbnoinvd amd-stibp npt nrip-save",
     ""},
    {"EPYC-Milan",
     "AMD",
     "EPYC-Rome",
     "pcid erms invpcid pku fsrm xsaves ibrs amd-ssbd svme-addr-chk",
     ""},
    {"Dhyana", "Hygon", "EPYC-IBPB", "", "pclmulqdq aes sha-ni"},
};

void change(qemu::CpuFeatures& features, std::string_view words, bool value) {
    while (!words.empty()) {
        const std::size_t end = std::min(words.find(' '), words.size());
        features.set(qemu::cpu_feature(words.substr(0, end)).value(), value);
        words.remove_prefix(std::min(end + 1, words.size()));
    }
}

} // namespace

qemu::CpuModels recorded_cpu_models() {
    qemu::CpuModels models;
    for (const Row& row : rows) {
        qemu::NamedCpu one;
        one.name = row.name;
        one.facts.vendor = row.vendor;
        const auto base = std::ranges::find(models, row.base, &qemu::NamedCpu::name);
        if (base != models.end()) {
            one.facts.features = base->facts.features;
        }
        change(one.facts.features, row.more, true);
        change(one.facts.features, row.less, false);
        models.push_back(std::move(one));
    }
    return models;
}

} // namespace vireo::tool
