// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/xml/binding.hpp"
#include "libshared/xml/parse.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace vireo;

namespace vireo::sample {

enum class DiskType { file, block, network };

} // namespace vireo::sample

template <>
struct vireo::xml::EnumNames<vireo::sample::DiskType> {
    static constexpr std::array<std::string_view, 3> names{"file", "block", "network"};
};

namespace vireo::sample {

struct Target {
    std::string dev;
    std::string bus = "virtio";
    friend bool operator==(const Target&, const Target&) = default;
};

struct FileSource {
    std::string file;
    friend bool operator==(const FileSource&, const FileSource&) = default;
};

struct NetworkSource {
    std::string protocol;
    std::vector<std::string> hosts;
    friend bool operator==(const NetworkSource&, const NetworkSource&) = default;
};

struct Info {
    std::optional<std::string> alias;
    std::optional<unsigned> boot;
    friend bool operator==(const Info&, const Info&) = default;
};

struct Driver {
    std::optional<std::string> cache;
    std::optional<bool> iothread;
    unsigned queues = 1;
    friend bool operator==(const Driver&, const Driver&) = default;
};

struct Disk {
    DiskType type{};
    Info info;
    Driver driver;
    std::variant<FileSource, std::monostate, NetworkSource> source;
    std::string block_device;
    Target target;
    std::optional<std::string> serial;
    bool readonly = false;
    xml::Box<Disk> backing;
    xml::Where where;
    xml::Extra extra;
    friend bool operator==(const Disk&, const Disk&) = default;
};

struct Nic {
    std::string mac;
    friend bool operator==(const Nic&, const Nic&) = default;
};

struct Memory {
    std::uint64_t kib = 0;
    std::optional<bool> dump_core;
    friend bool operator==(const Memory&, const Memory&) = default;
};

struct Arguments {
    struct Argument {
        std::string value;
        friend bool operator==(const Argument&, const Argument&) = default;
    };

    std::vector<Argument> list;
    friend bool operator==(const Arguments&, const Arguments&) = default;
};

struct Domain {
    std::optional<int> id;
    std::string name;
    std::string uuid;
    std::optional<xml::Raw> metadata;
    Memory memory;
    std::string os_type;
    std::optional<std::string> machine;
    std::vector<std::string> boot;
    bool acpi = false;
    bool apic = false;
    unsigned vcpus = 1;
    std::string password;
    std::vector<Disk> disks;
    std::vector<std::variant<Target, Nic>> mixed;
    std::map<std::string, std::string> notes;
    std::optional<Arguments> arguments;
    friend bool operator==(const Domain&, const Domain&) = default;
};

const xml::Type& describe(const Disk*);

static const xml::Type& describe(const Target*) {
    static const xml::Type type = xml::element<Target>(
        "target", xml::attr("dev", &Target::dev), xml::attr("bus", &Target::bus).optional());
    return type;
}

static const xml::Type& describe(const FileSource*) {
    static const xml::Type type =
        xml::element<FileSource>("source", xml::attr("file", &FileSource::file));
    return type;
}

static const xml::Type& describe(const NetworkSource*) {
    static const xml::Type type =
        xml::element<NetworkSource>("source",
                                    xml::attr("protocol", &NetworkSource::protocol),
                                    xml::text("host", &NetworkSource::hosts));
    return type;
}

static const xml::Type& describe(const Info*) {
    static const xml::Type type =
        xml::element<Info>("",
                           xml::group("alias", xml::attr("name", &Info::alias)),
                           xml::group("boot", xml::attr("order", &Info::boot)));
    return type;
}

static const xml::Type& describe(const Driver*) {
    static const xml::Type type =
        xml::element<Driver>("driver",
                             xml::attr("cache", &Driver::cache),
                             xml::attr("iothread", &Driver::iothread, xml::on_off),
                             xml::attr("queues", &Driver::queues).absent_is(1U));
    return type;
}

const xml::Type& describe(const Disk*) {
    static const xml::Type type = xml::element<Disk>(
        "disk",
        xml::attr("type", &Disk::type),
        xml::child(&Disk::driver).omit_empty(),
        xml::one_of("source",
                    &Disk::source,
                    [](const Disk& d) { return static_cast<std::size_t>(d.type); }),
        xml::when([](const Disk& d) { return d.type == DiskType::block; },
                  xml::group("source", xml::attr("dev", &Disk::block_device))),
        xml::child(&Disk::target),
        xml::text("serial", &Disk::serial),
        xml::flag("readonly", &Disk::readonly),
        xml::child("backingStore", &Disk::backing),
        xml::embed(&Disk::info));
    return type;
}

static const xml::Type& describe(const Nic*) {
    static const xml::Type type =
        xml::element<Nic>("interface", xml::attr("mac", &Nic::mac, xml::mac));
    return type;
}

static const xml::Type& describe(const Memory*) {
    static const xml::Type type =
        xml::element<Memory>("memory",
                             xml::content(&Memory::kib, xml::kib),
                             xml::attr("dumpCore", &Memory::dump_core, xml::on_off));
    return type;
}

static const xml::Type& describe(const Arguments::Argument*) {
    static const xml::Type type =
        xml::element<Arguments::Argument>("arg", xml::attr("value", &Arguments::Argument::value));
    return type;
}

static const xml::Type& describe(const Arguments*) {
    static const xml::Type type =
        xml::element<Arguments>("commandline", xml::child(&Arguments::list));
    return type;
}

static void parse_notes(Domain& domain, const xml::Node& node, xml::Problems& problems) {
    for (auto note = node.first(); note; note = note->next()) {
        if (!domain.notes.emplace(note->name(), note->text()).second) {
            problems.add(note->line(), note->path(), "the note is there already");
        }
    }
}

static void format_notes(const Domain& domain, xml::Writer& writer) {
    if (domain.notes.empty()) {
        return;
    }
    writer.open("notes");
    for (const auto& [key, value] : domain.notes) {
        writer.element(key, value);
    }
    writer.close();
}

constexpr unsigned secrets = 1;
constexpr xml::Namespace qemu_namespace{"http://libvirt.org/schemas/domain/qemu/1.0", "qemu"};

const xml::Type& describe(const Domain*) {
    static const xml::Type type = xml::element<Domain>(
        "domain",
        xml::attr("id", &Domain::id),
        xml::text("name", &Domain::name),
        xml::text("uuid", &Domain::uuid, xml::uuid).optional().write_if([](const Domain& d) {
            return !d.uuid.empty();
        }),
        xml::raw("metadata", &Domain::metadata),
        xml::child(&Domain::memory),
        xml::text("vcpu", &Domain::vcpus).absent_is(1U),
        xml::group("os",
                   xml::group("type",
                              xml::attr("machine", &Domain::machine),
                              xml::content(&Domain::os_type)),
                   xml::text("boot", &Domain::boot)),
        xml::group("features", xml::flag("acpi", &Domain::acpi), xml::flag("apic", &Domain::apic)),
        xml::text("password", &Domain::password).absent_is("").shown_in(secrets),
        xml::group("devices", xml::child(&Domain::disks)).keep_empty(),
        xml::group("mixed", xml::choice(&Domain::mixed)),
        xml::custom<&parse_notes, &format_notes>("notes"),
        xml::child(&Domain::arguments).in(qemu_namespace));
    return type;
}

} // namespace vireo::sample

namespace {

const std::string full = R"(<domain id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>a &lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;</name>
  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>
  <metadata>
    <app:x xmlns:app="http://app/1" a="1"><!-- kept --><app:y/></app:x>
  </metadata>
  <memory unit='KiB' dumpCore='off'>219136</memory>
  <vcpu>4</vcpu>
  <os>
    <type machine='q35'>hvm</type>
    <boot>hd</boot>
    <boot>network</boot>
  </os>
  <features>
    <acpi/>
  </features>
  <devices>
    <disk type='file' later='x'>
      <driver cache='none' iothread='on' queues='4'/>
      <source file='/a&apos;b'/>
      <target dev='vda' bus='virtio'/>
      <serial>S1</serial>
      <readonly/>
      <backingStore type='block'>
        <source dev='/dev/sda'/>
        <target dev='vdb' bus='virtio'/>
      </backingStore>
      <alias name='disk0'/>
      <boot order='1'/>
      <future><inner a="1"/></future>
    </disk>
    <disk type='network'>
      <source protocol='nbd'>
        <host>h1</host>
        <host>h2</host>
      </source>
      <target dev='vdc' bus='scsi'/>
    </disk>
  </devices>
  <mixed>
    <target dev='sda' bus='sata'/>
    <interface mac='52:54:00:0a:0b:0c'/>
    <target dev='sdb' bus='sata'/>
  </mixed>
  <notes>
    <one>1</one>
    <two/>
  </notes>
  <qemu:commandline>
    <qemu:arg value='-S'/>
    <qemu:arg value='a,b'/>
  </qemu:commandline>
</domain>
)";

const std::string least = R"(<domain>
  <name>n</name>
  <memory unit='KiB'>1</memory>
  <os>
    <type>hvm</type>
  </os>
  <devices/>
</domain>
)";

template <class T = sample::Domain>
[[maybe_unused]] std::string refusal(const std::string& text,
                                     const xml::ParseOptions& options = {}) {
    try {
        xml::parse<T>(text, options);
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::xml_error);
        return e.what();
    }
    return "accepted";
}

} // namespace

TEST_CASE("every kind of field is read, and written back as it was") {
    const auto domain = xml::parse<sample::Domain>(full);
    CHECK(xml::format(domain) == full);
    CHECK(domain.id == 3);
    CHECK(domain.name == "a <b> & \"c\" 'd'");
    CHECK(domain.memory.kib == 219136);
    CHECK(domain.memory.dump_core == false);
    CHECK(domain.boot == std::vector<std::string>{"hd", "network"});
    CHECK(domain.acpi);
    CHECK_FALSE(domain.apic);
    REQUIRE(domain.disks.size() == 2);
    const sample::Disk& first = domain.disks[0];
    CHECK(first.type == sample::DiskType::file);
    CHECK(std::get<sample::FileSource>(first.source).file == "/a'b");
    CHECK(first.driver.iothread == true);
    CHECK(first.info.alias == "disk0");
    CHECK(first.info.boot == 1U);
    CHECK(first.readonly);
    REQUIRE(first.backing);
    CHECK(first.backing->block_device == "/dev/sda");
    REQUIRE(first.extra.attributes.size() == 1);
    CHECK(first.extra.attributes[0].name == "later");
    REQUIRE(first.extra.elements.size() == 1);
    CHECK(first.extra.elements[0].text == "<future><inner a=\"1\"/></future>");
    CHECK(std::get<sample::NetworkSource>(domain.disks[1].source).hosts.size() == 2);
    REQUIRE(domain.mixed.size() == 3);
    CHECK(std::get<sample::Nic>(domain.mixed[1]).mac == "52:54:00:0a:0b:0c");
    CHECK(domain.notes.at("one") == "1");
    REQUIRE(domain.arguments);
    CHECK(domain.arguments->list[1].value == "a,b");
    CHECK(xml::parse<sample::Domain>(xml::format(domain)) == domain);
}

TEST_CASE("what may be absent is absent, and then not written") {
    const auto domain = xml::parse<sample::Domain>(least);
    CHECK(xml::format(domain) == least);
    CHECK(domain.vcpus == 1);
    CHECK_FALSE(domain.metadata);
    CHECK_FALSE(domain.arguments);
}

TEST_CASE("a struct remembers its line, which makes no difference in comparison") {
    auto domain = xml::parse<sample::Domain>(full);
    CHECK(domain.disks[0].where.line == 18);
    CHECK(domain.disks[0].backing->where.line == 24);
    CHECK(domain.disks[1].where.line == 32);
    const sample::Domain copy = domain;
    domain.disks[0].where.line = 0;
    CHECK(copy == domain);
}

TEST_CASE("a field is shown only in a view that has its bits") {
    auto domain = xml::parse<sample::Domain>(least);
    domain.password = std::string("p"); // not a literal: GCC 12 warns of it without cause
    CHECK(xml::format(domain) == least);
    const std::string shown = xml::format(domain, {.view = sample::secrets});
    CHECK(shown.find("<password>p</password>\n") != std::string::npos);
    CHECK(xml::parse<sample::Domain>(shown).password == "p");
}

TEST_CASE("indentation starts where it is told to") {
    CHECK(xml::format(sample::Target{.dev = "a", .bus = "b"}, {.indent = 2}) ==
          "    <target dev='a' bus='b'/>\n");
}

namespace vireo::sample {

struct DriveTool {
    std::string name;
};

struct DriveImage {
    std::string format;
    std::string path;
};

/// One element that holds members of two structs.
struct Drive {
    DriveTool driver;
    DriveImage image;
};

const xml::Type& describe(const Drive*) {
    static const xml::Type type = xml::element<Drive>(
        "drive",
        xml::group("driver",
                   xml::embed(&Drive::driver, xml::attr("name", &DriveTool::name)),
                   xml::embed(&Drive::image, xml::attr("type", &DriveImage::format))),
        xml::embed(&Drive::image, xml::text("path", &DriveImage::path)));
    return type;
}

} // namespace vireo::sample

TEST_CASE("some fields of a struct can stand in one element and some in another") {
    const std::string text = "<drive>\n"
                             "  <driver name='qemu' type='raw'/>\n"
                             "  <path>/a</path>\n"
                             "</drive>\n";
    const auto drive = xml::parse<sample::Drive>(text);
    CHECK(drive.driver.name == "qemu");
    CHECK(drive.image.format == "raw");
    CHECK(drive.image.path == "/a");
    CHECK(xml::format(drive) == text);
    CHECK_THROWS_WITH_AS(xml::parse<sample::Drive>("<drive><driver name='q'/><path/></drive>"),
                         "line 1: drive/driver: attribute 'type' is missing",
                         const Error&);
}
