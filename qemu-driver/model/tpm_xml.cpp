// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/tpm_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

namespace {

/// `<active_pcr_banks><sha256/><sha512/></active_pcr_banks>`: the banks are element names.
void parse_banks(EmulatorTpm& tpm, const xml::Node& node, xml::Problems& problems) {
    for (auto bank = node.first(); bank; bank = bank->next()) {
        const auto value = xml::enum_of<PcrBank>(bank->name());
        if (!value) {
            problems.add(
                bank->line(), node.path(), fmt::format("element '{}' is not known", bank->name()));
            continue;
        }
        tpm.active_pcr_banks.push_back(*value);
    }
}

void format_banks(const EmulatorTpm& tpm, xml::Writer& writer) {
    if (tpm.active_pcr_banks.empty()) {
        return;
    }
    writer.open("active_pcr_banks");
    for (const PcrBank bank : tpm.active_pcr_banks) {
        writer.open(name_of(bank));
        writer.close();
    }
    writer.close();
}

} // namespace

static const xml::Type& describe(const PassthroughTpm*) {
    static const xml::Type type = xml::element<PassthroughTpm>(
        "", xml::group("device", xml::attr("path", &PassthroughTpm::path)));
    return type;
}

static const xml::Type& describe(const EmulatorTpm*) {
    static const xml::Type type = xml::element<EmulatorTpm>(
        "",
        xml::attr("version", &EmulatorTpm::version),
        xml::attr("persistent_state", &EmulatorTpm::persistent_state),
        xml::group("encryption", xml::attr("secret", &EmulatorTpm::encryption_secret, xml::uuid)),
        xml::custom<&parse_banks, &format_banks>("active_pcr_banks"));
    return type;
}

static const xml::Type& describe(const ExternalTpm*) {
    static const xml::Type type =
        xml::element<ExternalTpm>("",
                                  xml::group("source",
                                             xml::attr("type", &ExternalTpm::transport),
                                             xml::attr("mode", &ExternalTpm::mode),
                                             xml::attr("path", &ExternalTpm::path)));
    return type;
}

const xml::Type& describe(const TpmDef*) {
    static const xml::Type type =
        xml::element<TpmDef>("tpm",
                             xml::attr("model", &TpmDef::model),
                             xml::group("backend",
                                        xml::kind<TpmBackendType>("type", &TpmDef::backend),
                                        xml::one_of(&TpmDef::backend)),
                             xml::embed(&TpmDef::info));
    return type;
}

} // namespace vireo::qemu
