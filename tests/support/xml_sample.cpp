// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/xml_sample.hpp"

#include "libshared/xml/binding.hpp"

namespace vireo::sample {

const xml::Type& describe(const Target*) {
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

static const xml::Type& describe(const Pty*) {
    static const xml::Type type =
        xml::element<Pty>("", xml::group("source", xml::attr("path", &Pty::path)));
    return type;
}

static const xml::Type& describe(const Tcp*) {
    static const xml::Type type = xml::element<Tcp>(
        "",
        xml::attr("tls", &Tcp::tls).absent_is(false),
        xml::group("source", xml::attr("host", &Tcp::host), xml::attr("port", &Tcp::port)));
    return type;
}

static const xml::Type& describe(const Serial*) {
    static const xml::Type type =
        xml::element<Serial>("serial",
                             xml::kind<SerialType>("type", &Serial::backend).optional(),
                             xml::one_of(&Serial::backend),
                             xml::each("lane", "number", &Serial::lanes));
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
        xml::group("devices", xml::child(&Domain::disks), xml::child(&Domain::serials))
            .keep_empty(),
        xml::group("mixed", xml::choice(&Domain::mixed)),
        xml::custom<&parse_notes, &format_notes>("notes"),
        xml::child(&Domain::arguments).in(qemu_namespace));
    return type;
}

const std::string full_document =
    R"(<domain id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
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
    <serial type='tcp' tls='yes'>
      <source host='h' port='65535'/>
      <lane number='0'/>
      <lane number='1'/>
    </serial>
    <serial type='pty'/>
    <serial/>
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

const std::string least_document = R"(<domain>
  <name>n</name>
  <memory unit='KiB'>1</memory>
  <os>
    <type>hvm</type>
  </os>
  <devices/>
</domain>
)";

} // namespace vireo::sample
