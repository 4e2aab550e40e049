// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/recorded_cpu_models.hpp"

#include <algorithm>
#include <string_view>

namespace vireo::tool {

namespace {

/// A model, by what it is more or less than another one above it.
struct Row {
    std::string_view name, vendor;
    unsigned family, model;
    std::string_view base, more, less;
};

// As `query-cpu-model-expansion` of QEMU 7.2 tells them, without what its accelerators change.
// Where the names are older than QEMU's definition of today, and documents were written by them,
// without what was added since: no virtual mode extensions in AMD's K8 to K10, no nested page
// tables before Zen 2, no supervisor's saving of state in Zen 2.
constexpr Row rows[] = {
    {"486", "Intel", 4, 8, "", "fpu vme pse", ""},
    {"pentium", "Intel", 5, 4, "486", "de tsc msr mce cx8 apic mmx", ""},
    {"pentium2", "Intel", 6, 5, "pentium", "pae sep mtrr pge mca cmov pat pse36 fxsr", ""},
    {"pentium3", "Intel", 6, 7, "pentium2", "sse", ""},
    {"coreduo", "Intel", 6, 14, "pentium3", "clflush acpi sse2 pni nx", "pse36"},
    {"n270", "Intel", 6, 28, "coreduo", "ssse3 movbe lahf-lm", ""},
    {"core2duo", "Intel", 6, 15, "n270", "pse36 cx16 syscall lm", "movbe"},
    {"qemu32", "Intel", 6, 6, "pentium3", "sse2 pni", "vme mtrr mca pse36"},
    {"kvm32", "Intel", 15, 6, "pentium3", "clflush sse2 pni", ""},
    {"qemu64", "AMD", 15, 107, "core2duo", "svm", "vme acpi ssse3"},
    {"kvm64", "Intel", 15, 6, "core2duo", "", "acpi ssse3 lahf-lm"},
    {"Conroe", "Intel", 6, 15, "core2duo", "", "acpi cx16"},
    {"Penryn", "Intel", 6, 23, "core2duo", "sse4.1", "acpi"},
    {"Nehalem", "Intel", 6, 26, "Penryn", "sse4.2 popcnt", ""},
    {"Nehalem-IBRS", "Intel", 6, 26, "Nehalem", "spec-ctrl", ""},
    {"Westmere", "Intel", 6, 44, "Nehalem", "pclmulqdq aes arat", ""},
    {"Westmere-IBRS", "Intel", 6, 44, "Westmere", "spec-ctrl", ""},
    {"SandyBridge",
     "Intel",
     6,
     42,
     "Westmere",
     "x2apic tsc-deadline xsave avx xsaveopt rdtscp",
     ""},
    {"SandyBridge-IBRS", "Intel", 6, 42, "SandyBridge", "spec-ctrl", ""},
    {"IvyBridge", "Intel", 6, 58, "SandyBridge", "f16c rdrand fsgsbase smep erms", ""},
    {"IvyBridge-IBRS", "Intel", 6, 58, "IvyBridge", "spec-ctrl", ""},
    {"Haswell-noTSX", "Intel", 6, 60, "IvyBridge", "fma pcid movbe bmi1 avx2 bmi2 invpcid abm", ""},
    {"Haswell-noTSX-IBRS", "Intel", 6, 60, "Haswell-noTSX", "spec-ctrl", ""},
    {"Haswell", "Intel", 6, 60, "Haswell-noTSX", "hle rtm", ""},
    {"Haswell-IBRS", "Intel", 6, 60, "Haswell", "spec-ctrl", ""},
    {"Broadwell-noTSX", "Intel", 6, 61, "Haswell-noTSX", "rdseed adx smap 3dnowprefetch", ""},
    {"Broadwell-noTSX-IBRS", "Intel", 6, 61, "Broadwell-noTSX", "spec-ctrl", ""},
    {"Broadwell", "Intel", 6, 61, "Broadwell-noTSX", "hle rtm", ""},
    {"Broadwell-IBRS", "Intel", 6, 61, "Broadwell", "spec-ctrl", ""},
    {"Skylake-Client", "Intel", 6, 94, "Broadwell", "xsavec xgetbv1", ""},
    {"Skylake-Client-IBRS", "Intel", 6, 94, "Skylake-Client", "spec-ctrl", ""},
    {"Skylake-Client-noTSX-IBRS", "Intel", 6, 94, "Broadwell-noTSX-IBRS", "xsavec xgetbv1", ""},
    {"Skylake-Server",
     "Intel",
     6,
     85,
     "Skylake-Client",
     "avx512f avx512dq clflushopt clwb avx512cd avx512bw avx512vl pku pdpe1gb",
     ""},
    {"Skylake-Server-IBRS", "Intel", 6, 85, "Skylake-Server", "spec-ctrl", "clflushopt"},
    {"Skylake-Server-noTSX-IBRS", "Intel", 6, 85, "Skylake-Server-IBRS", "", "hle rtm"},
    {"Cascadelake-Server", "Intel", 6, 85, "Skylake-Server", "avx512vnni spec-ctrl ssbd", ""},
    {"Cascadelake-Server-noTSX",
     "Intel",
     6,
     85,
     "Cascadelake-Server",
     "arch-capabilities rdctl-no ibrs-all skip-l1dfl-vmentry mds-no",
     "hle rtm"},
    {"Icelake-Server",
     "Intel",
     6,
     134,
     "Cascadelake-Server",
     "avx512vbmi umip avx512vbmi2 gfni vaes vpclmulqdq avx512bitalg avx512-vpopcntdq la57 wbnoinvd",
     ""},
    {"Icelake-Server-noTSX", "Intel", 6, 134, "Icelake-Server", "", "hle rtm"},
    {"Cooperlake",
     "Intel",
     6,
     85,
     "Cascadelake-Server-noTSX",
     "hle rtm stibp avx512-bf16 pschange-mc-no taa-no",
     ""},
    {"Denverton",
     "Intel",
     6,
     95,
     "IvyBridge-IBRS",
     "movbe mpx rdseed smap clflushopt sha-ni arch-capabilities ssbd xsavec xgetbv1 pdpe1gb "
     "3dnowprefetch rdctl-no skip-l1dfl-vmentry",
     "avx f16c"},
    {"Snowridge",
     "Intel",
     6,
     134,
     "Denverton",
     "clwb umip gfni cldemote movdiri movdir64b core-capability",
     "rdctl-no skip-l1dfl-vmentry"},
    {"KnightsMill",
     "Intel",
     6,
     133,
     "Broadwell-noTSX",
     "avx512f avx512pf avx512er avx512cd avx512-vpopcntdq avx512-4vnniw avx512-4fmaps pdpe1gb",
     "pcid invpcid smap"},
    {"athlon", "AMD", 6, 2, "pentium3", "sse2 mmxext 3dnowext 3dnow", "vme"},
    {"phenom", "AMD", 16, 2, "qemu64", "mmxext fxsr-opt 3dnowext 3dnow npt", "cx16 lahf-lm"},
    {"Opteron_G1", "AMD", 15, 6, "kvm64", "", "vme cx16"},
    {"Opteron_G2", "AMD", 15, 6, "qemu64", "", ""},
    {"Opteron_G3", "AMD", 16, 2, "qemu64", "popcnt rdtscp abm sse4a misalignsse", ""},
    {"Opteron_G4",
     "AMD",
     21,
     1,
     "Opteron_G3",
     "pclmulqdq ssse3 sse4.1 sse4.2 aes xsave avx pdpe1gb 3dnowprefetch xop fma4",
     ""},
    {"Opteron_G5", "AMD", 21, 2, "Opteron_G4", "fma f16c tbm", ""},
    {"EPYC",
     "AMD",
     23,
     1,
     "Skylake-Client-noTSX-IBRS",
     "clflushopt sha-ni mmxext fxsr-opt pdpe1gb svm cr8legacy sse4a misalignsse osvw",
     "pcid x2apic tsc-deadline erms invpcid spec-ctrl"},
    {"EPYC-IBPB", "AMD", 23, 1, "EPYC", "ibpb", ""},
    {"EPYC-Rome",
     "AMD",
     23,
     49,
     "EPYC-IBPB",
     "clwb umip rdpid perfctr-core clzero xsaveerptr wbnoinvd amd-stibp npt nrip-save",
     ""},
    {"EPYC-Milan",
     "AMD",
     25,
     1,
     "EPYC-Rome",
     "pcid erms invpcid pku fsrm xsaves ibrs amd-ssbd svme-addr-chk",
     ""},
    {"Dhyana", "Hygon", 24, 0, "EPYC-IBPB", "", "pclmulqdq aes sha-ni"},
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
        one.facts.family = row.family;
        one.facts.model = row.model;
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
