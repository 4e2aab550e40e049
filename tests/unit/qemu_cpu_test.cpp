// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/xml/parse.hpp"
#include "qemu-driver/capabilities/cpu_models_cache.hpp"
#include "qemu-driver/model/guest_cpu.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <set>

using namespace vireo;
using namespace vireo::qemu;

namespace {

CpuFeatures features(std::initializer_list<const char*> names) {
    CpuFeatures all;
    for (const char* name : names) {
        all.set(cpu_feature(name).value());
    }
    return all;
}

/// A host whose QEMU has three models: an old one, a new one that lacks a feature here, and one of
/// another vendor.
struct Bench {
    HostCpuFacts cpu{
        {"AMD", 23, 1, 0, features({"fpu", "sse", "sse2", "aes", "svm", "ss", "invtsc"})},
        features({"fpu", "sse", "sse2", "aes", "svm", "ss"})};
    std::vector<CpuModel> definitions{
        definition("new", {"avx"}), definition("old"), definition("other"), definition("qemu64")};
    CpuModels models{{"new", {"AMD", 23, 1, 0, features({"fpu", "sse", "sse2", "aes", "avx"})}},
                     {"old", {"AMD", 16, 2, 0, features({"fpu", "sse"})}},
                     {"other", {"Intel", 6, 1, 0, features({"fpu", "sse", "sse2", "aes", "svm"})}},
                     {"qemu64", {"AMD", 23, 1, 0, features({"fpu"})}}};

    static CpuModel definition(const char* name, std::vector<std::string> unavailable = {}) {
        CpuModel model;
        model.name = name;
        model.unavailable_features = std::move(unavailable);
        return model;
    }

    CpuHost host() const { return {cpu, definitions, models}; }

    CpuDef resolved(const std::string& text) const {
        auto def = xml::parse<CpuDef>(text);
        resolve_cpu(def, host());
        return def;
    }

    std::string refusal(const std::string& text) const {
        try {
            resolved(text);
        } catch (const Error& e) {
            return e.what();
        }
        return "accepted";
    }

    CpuVerdict compared(const std::string& text) const {
        return compare_cpu(xml::parse<CpuDef>(text), host());
    }
};

std::string text_of(const CpuDef& cpu) {
    std::string text = cpu.model ? cpu.model->name : "";
    for (const CpuFeature& feature : cpu.features) {
        text += feature.policy == CpuFeaturePolicy::disable ? " -" : " +";
        text += feature.name;
    }
    return text;
}

} // namespace

TEST_CASE("a feature has one place under both its names") {
    CHECK(cpu_feature("tsc_adjust") == cpu_feature("tsc-adjust"));
    CHECK(cpu_feature("pclmuldq") == cpu_feature("pclmulqdq"));
    CHECK(libvirt_feature("pclmulqdq") == "pclmuldq");
    CHECK(libvirt_feature("sse4.1") == "sse4.1");
    CHECK(qemu_feature("tsc_adjust") == "tsc-adjust");
    CHECK(qemu_feature("of_the_future") == "of-the-future");
    CHECK_FALSE(cpu_feature("kvmclock"));
    const auto names = cpu_feature_names();
    CHECK(std::set<std::string_view>(names.begin(), names.end()).size() == names.size());
    CHECK(names.size() <= cpu_feature_limit);
    for (const std::string_view name : names) {
        CHECK(cpu_feature(libvirt_feature(name)) == cpu_feature(name));
    }
}

TEST_CASE("names of models are neither modes nor versions") {
    CHECK(is_named_model("Haswell"));
    CHECK(is_named_model("Haswell-noTSX"));
    CHECK_FALSE(is_named_model("Haswell-v2"));
    CHECK_FALSE(is_named_model("host"));
}

TEST_CASE("QEMU's properties become facts") {
    const auto props = nlohmann::json::parse(
        R"({"vendor":"GenuineIntel","family":6,"model":60,"stepping":3,"aes":true,"avx":false,"kvmclock":true})");
    const CpuFacts facts = cpu_facts(props);
    CHECK(facts.vendor == "Intel");
    CHECK(facts.family == 6);
    CHECK(facts.model == 60);
    CHECK(facts.stepping == 3);
    CHECK(facts.features == features({"aes"}));
}

TEST_CASE("the nearest model is of the vendor, of the processor, and needs the fewest changes") {
    Bench bench;
    // The same family and model win over a shorter list.
    auto choice = host_model(bench.host(), true);
    REQUIRE(choice);
    CHECK(choice->model == "new");
    CHECK(choice->vendor == "AMD");
    CHECK(choice->required == features({"svm", "ss"}));
    CHECK(choice->disabled == features({"avx"}));
    // What binds the guest to the host is for those that do not leave it.
    CHECK(host_model(bench.host(), false)->required == features({"svm", "ss", "invtsc"}));

    bench.cpu.all.family = 99;
    // 2 more and 2 for 1 less are 4 of each: then nothing less is better.
    CHECK(host_model(bench.host(), true)->model == "old");
    bench.models[0].facts.features |= features({"ss"});
    CHECK(host_model(bench.host(), true)->model == "new");
    bench.definitions.erase(bench.definitions.begin(), bench.definitions.begin() + 2);
    CHECK(host_model(bench.host(), true)->model == "qemu64"); // never another vendor's
    bench.definitions.pop_back();
    CHECK_FALSE(host_model(bench.host(), true));
}

TEST_CASE("what has to be taken away from a model weighs more and more, up to half of it") {
    Bench bench;
    bench.cpu.all.family = 99;
    bench.definitions[0].unavailable_features.clear();
    const auto with = [&](std::initializer_list<const char*> more) {
        bench.models[0].facts.features =
            features({"fpu", "sse", "sse2", "aes", "svm", "ss"}) | features(more);
        return host_model(bench.host(), true)->model;
    };
    // "old" needs 4 more; one less is 2, two are 3, three 6.
    CHECK(with({"avx"}) == "new");
    CHECK(with({"avx", "avx2"}) == "new");
    CHECK(with({"avx", "avx2", "f16c"}) == "old");
}

TEST_CASE("a processor has the model that its family, model and stepping mean") {
    Bench bench;
    const auto chosen = [&](CpuFacts facts, std::initializer_list<const char*> names) {
        bench.cpu.all = std::move(facts);
        bench.cpu.migratable = bench.cpu.all.features;
        bench.definitions.clear();
        bench.models.clear();
        for (const char* name : names) {
            bench.definitions.push_back(Bench::definition(name));
            bench.models.push_back({name, {"Intel", 6, 0, 0, features({"fpu"})}});
        }
        return host_model(bench.host(), true);
    };
    const CpuFeatures fpu = features({"fpu"});
    // A Haswell of servers, and what its transactions come to.
    const auto choice =
        chosen({"Intel", 6, 63, 2, fpu | features({"hle", "rtm"})}, {"Haswell", "Broadwell"});
    CHECK(choice->model == "Haswell");
    CHECK(choice->required.none());
    CHECK(chosen({"Intel", 6, 63, 4, fpu | features({"hle"})}, {"Haswell"})->required ==
          features({"hle"}));
    // One model number, three processors.
    const std::initializer_list<const char*> server{
        "Skylake-Server", "Cascadelake-Server", "Cooperlake"};
    CHECK(chosen({"Intel", 6, 85, 4, fpu}, server)->model == "Skylake-Server");
    CHECK(chosen({"Intel", 6, 85, 7, fpu}, server)->model == "Cascadelake-Server");
    CHECK(chosen({"Intel", 6, 85, 11, fpu}, server)->model == "Cooperlake");
    // The newer of equals, but none that is for describing hosts alone.
    CHECK(chosen({"Intel", 6, 99, 0, fpu}, {"Penryn", "Nehalem", "Cascadelake-Server-noTSX"})
              ->model == "Nehalem");
    // A model that is not known counts as QEMU describes it.
    CHECK(chosen({"Intel", 6, 0, 0, fpu}, {"Cooperlake", "of-tomorrow"})->model == "of-tomorrow");
}

TEST_CASE("what QEMU's model lost is written down as disabled") {
    Bench bench;
    bench.definitions.push_back(Bench::definition("EPYC"));
    CHECK(text_of(bench.resolved("<cpu><model>EPYC</model></cpu>")) == "EPYC -monitor");
    CHECK(text_of(bench.resolved("<cpu><model>EPYC</model><feature name='monitor'/></cpu>")) ==
          "EPYC +monitor");
}

TEST_CASE("the host's model, with what the document changes") {
    const Bench bench;
    CpuDef cpu = bench.resolved("<cpu mode='host-model' check='partial'/>");
    CHECK(cpu.mode == CpuMode::custom);
    CHECK(cpu.match == CpuMatch::exact);
    CHECK(cpu.check == CpuCheck::partial);
    CHECK(cpu.model->fallback == CpuFallback::forbid);
    CHECK(text_of(cpu) == "new +ss +svm -avx");
    CHECK(text_of(bench.resolved("<cpu mode='host-model'><feature policy='disable' name='svm'/>"
                                 "<feature policy='require' name='fxsr_opt'/>"
                                 "<feature policy='require' name='cmt'/></cpu>")) ==
          "new +ss -svm -avx +fxsr_opt");
    cpu = bench.resolved("<cpu mode='host-model'><model vendor_id='Vireo Vireo.'/></cpu>");
    CHECK(cpu.model->vendor_id == "Vireo Vireo.");
    // At least this model: the whole host.
    CHECK(text_of(bench.resolved("<cpu match='minimum'><model>old</model></cpu>")) ==
          "new +ss +svm -avx");
}

TEST_CASE("a named model stays, and what is optional is decided") {
    const Bench bench;
    CHECK(text_of(bench.resolved("<cpu match='exact'><model>old</model>"
                                 "<feature policy='optional' name='aes'/>"
                                 "<feature policy='optional' name='avx'/></cpu>")) ==
          "old +aes -avx");
    CHECK(bench.resolved("<cpu mode='maximum'/>").mode == CpuMode::maximum);
    CHECK(bench.refusal("<cpu><model>unheard</model></cpu>") ==
          "line 1: <model>: this QEMU has no CPU model 'unheard'");
}

TEST_CASE("a check names what is missing, forbidden or too much") {
    const Bench bench;
    CHECK(bench.refusal("<cpu check='none'><model>new</model></cpu>") == "accepted");
    CHECK(bench.refusal("<cpu check='partial'><model>new</model></cpu>") ==
          "line 1: <cpu>: the host does not have required features: avx");
    CHECK(bench.refusal("<cpu check='partial'><model>new</model>"
                        "<feature policy='disable' name='avx'/></cpu>") == "accepted");
    CHECK(bench.refusal("<cpu check='full'><model>new</model>"
                        "<feature policy='force' name='avx'/></cpu>") == "accepted");
    CHECK(bench.refusal("<cpu check='full'><model>old</model>"
                        "<feature policy='require' name='tsc_adjust'/></cpu>") ==
          "line 1: <cpu>: the host does not have required features: tsc_adjust");
    CHECK(bench.refusal("<cpu check='full'><model>old</model>"
                        "<feature policy='forbid' name='aes'/></cpu>") ==
          "line 1: <cpu>: the host has features that are forbidden: aes");
    CHECK(bench.refusal("<cpu match='strict' check='partial'><model>old</model>"
                        "<feature policy='require' name='aes'/></cpu>") ==
          "line 1: <cpu>: the host has features that match='strict' does not allow: sse2, ss, svm, "
          "invtsc");
    CHECK(bench.refusal("<cpu check='full'><model>old</model><vendor>Intel</vendor></cpu>") ==
          "line 1: <cpu>: the host's processor is of vendor 'AMD', not 'Intel'");
}

TEST_CASE("a partial check leaves to QEMU what is beyond a model that it can give") {
    const Bench bench;
    CHECK(bench.refusal("<cpu check='partial'><model>old</model>"
                        "<feature policy='require' name='tsc_adjust'/></cpu>") == "accepted");
    CHECK(bench.refusal("<cpu check='partial'><model>new</model>"
                        "<feature policy='disable' name='avx'/>"
                        "<feature policy='require' name='tsc_adjust'/></cpu>") == "accepted");
}

TEST_CASE("what the letter asks for and the models do not count is for a full check alone") {
    Bench bench;
    bench.cpu.all.features.reset(cpu_feature("ss").value());
    bench.definitions[1].unavailable_features = {"ss"};
    CHECK(bench.refusal("<cpu check='partial'><model>old</model></cpu>") == "accepted");
    CHECK(bench.refusal("<cpu check='full'><model>old</model></cpu>") ==
          "line 1: <cpu>: the host does not have required features: ss");
}

TEST_CASE("comparing gives libvirt's numbers") {
    const Bench bench;
    CHECK(bench.compared("<cpu><model>new</model></cpu>").result == CpuComparison::incompatible);
    CHECK(bench.compared("<cpu><model>old</model></cpu>").result == CpuComparison::superset);
    CHECK(
        bench
            .compared("<cpu><model>other</model><feature name='ss'/><feature name='invtsc'/></cpu>")
            .result == CpuComparison::identical);
    CHECK(bench.compared("<cpu><feature name='aes'/></cpu>").result == CpuComparison::superset);
    CHECK(static_cast<int>(CpuComparison::superset) == 2);
}

TEST_CASE("a baseline is what all of them have") {
    const Bench bench;
    const auto baseline = [&](std::initializer_list<const char*> texts,
                              bool expand = false,
                              bool migratable = false) {
        std::vector<CpuDef> cpus;
        for (const char* text : texts) {
            cpus.push_back(xml::parse<CpuDef>(text));
        }
        return baseline_cpu(cpus, bench.host(), expand, migratable);
    };
    CpuDef cpu =
        baseline({"<cpu><model>new</model><vendor>AMD</vendor></cpu>",
                  "<cpu><model>old</model><vendor>AMD</vendor><feature name='aes'/></cpu>"});
    CHECK(text_of(cpu) == "old +aes");
    CHECK(cpu.vendor == "AMD");
    CHECK(cpu.model->fallback == CpuFallback::allow);

    cpu = baseline({"<cpu><model>new</model><feature name='invtsc'/></cpu>",
                    "<cpu><model>new</model><feature name='invtsc'/></cpu>"});
    CHECK(text_of(cpu) == "new +invtsc");
    CHECK_FALSE(cpu.vendor);
    CHECK(cpu.model->fallback == CpuFallback::forbid);
    CHECK(text_of(baseline(
              {"<cpu><model>new</model><feature name='invtsc'/></cpu>"}, false, true)) == "new");
    CHECK(text_of(baseline({"<cpu><model>old</model><feature name='aes'/></cpu>"}, true)) ==
          "old +fpu +sse +aes");
    CHECK_THROWS_WITH_AS(
        baseline({"<cpu><model>new</model></cpu>", "<cpu><model>other</model></cpu>"}),
        "the CPUs are of different vendors: 'AMD' and 'Intel'",
        Error);
    CHECK_THROWS_WITH_AS(
        baseline({"<cpu><model>qemu64</model></cpu>",
                  "<cpu><model>old</model><feature policy='disable' name='fpu'/></cpu>"}),
        "the CPUs have nothing in common",
        Error);
    CHECK_THROWS_WITH_AS(baseline({"<cpu><model>x</model></cpu>"}),
                         "line 1: <model>: this QEMU has no CPU model 'x'",
                         Error);
}

TEST_CASE("models are kept in a file of their own, for one binary") {
    const Bench bench;
    BinaryIdentity identity{"/opt/q", 1, 2, 3, "6.1", true};
    const std::string text = cpu_models_to_cache(identity, bench.models);
    CHECK(cpu_models_from_cache(text, identity) == bench.models);
    CHECK_FALSE(cpu_models_from_cache(text.substr(0, text.size() / 2), identity));
    CHECK_FALSE(cpu_models_from_cache("[]", identity));
    identity.size = 9;
    CHECK_FALSE(cpu_models_from_cache(text, identity));
}
