// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/disk_source_xml.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const SecretReference*) {
    static const xml::Type type =
        xml::element<SecretReference>("secret",
                                      xml::attr("type", &SecretReference::type),
                                      xml::attr("uuid", &SecretReference::uuid, xml::uuid),
                                      xml::attr("usage", &SecretReference::usage));
    return type;
}

const xml::Type& describe(const AuthDef*) {
    static const xml::Type type = xml::element<AuthDef>(
        "auth", xml::attr("username", &AuthDef::username), xml::child(&AuthDef::secret));
    return type;
}

static const xml::Type& describe(const CipherDef*) {
    static const xml::Type type = xml::element<CipherDef>("cipher",
                                                          xml::attr("name", &CipherDef::name),
                                                          xml::attr("size", &CipherDef::size),
                                                          xml::attr("mode", &CipherDef::mode),
                                                          xml::attr("hash", &CipherDef::hash));
    return type;
}

static const xml::Type& describe(const IvgenDef*) {
    static const xml::Type type = xml::element<IvgenDef>(
        "ivgen", xml::attr("name", &IvgenDef::name), xml::attr("hash", &IvgenDef::hash));
    return type;
}

const xml::Type& describe(const EncryptionDef*) {
    static const xml::Type type =
        xml::element<EncryptionDef>("encryption",
                                    xml::attr("format", &EncryptionDef::format),
                                    xml::attr("engine", &EncryptionDef::engine),
                                    xml::child(&EncryptionDef::secrets),
                                    xml::child(&EncryptionDef::cipher),
                                    xml::child(&EncryptionDef::ivgen));
    return type;
}

const xml::Type& describe(const ReservationsDef*) {
    static const xml::Type type =
        xml::element<ReservationsDef>("reservations",
                                      xml::attr("managed", &ReservationsDef::managed),
                                      xml::group("source",
                                                 xml::attr("type", &ReservationsDef::transport),
                                                 xml::attr("path", &ReservationsDef::path),
                                                 xml::attr("mode", &ReservationsDef::mode)));
    return type;
}

const xml::Type& describe(const SliceDef*) {
    static const xml::Type type =
        xml::element<SliceDef>("slice",
                               xml::attr("type", &SliceDef::type),
                               xml::attr("offset", &SliceDef::offset_bytes),
                               xml::attr("size", &SliceDef::size_bytes));
    return type;
}

const xml::Type& describe(const SourceHost*) {
    static const xml::Type type =
        xml::element<SourceHost>("host",
                                 xml::attr("name", &SourceHost::name),
                                 xml::attr("port", &SourceHost::port),
                                 xml::attr("transport", &SourceHost::transport),
                                 xml::attr("socket", &SourceHost::socket));
    return type;
}

static const xml::Type& describe(const CookieDef*) {
    static const xml::Type type = xml::element<CookieDef>(
        "cookie", xml::attr("name", &CookieDef::name), xml::content(&CookieDef::value));
    return type;
}

const xml::Type& describe(const FileSource*) {
    static const xml::Type type = xml::element<FileSource>(
        "source", xml::attr("file", &FileSource::path), xml::attr("fdgroup", &FileSource::fdgroup));
    return type;
}

const xml::Type& describe(const BlockSource*) {
    static const xml::Type type =
        xml::element<BlockSource>("source", xml::attr("dev", &BlockSource::path));
    return type;
}

const xml::Type& describe(const DirSource*) {
    static const xml::Type type =
        xml::element<DirSource>("source", xml::attr("dir", &DirSource::path));
    return type;
}

const xml::Type& describe(const NetworkSource*) {
    static const xml::Type type = xml::element<NetworkSource>(
        "source",
        xml::attr("protocol", &NetworkSource::protocol),
        xml::attr("name", &NetworkSource::name),
        xml::attr("query", &NetworkSource::query),
        xml::attr("tls", &NetworkSource::tls),
        xml::attr("tlsHostname", &NetworkSource::tls_hostname),
        xml::child(&NetworkSource::hosts),
        xml::group("snapshot", xml::attr("name", &NetworkSource::snapshot)),
        xml::group("config", xml::attr("file", &NetworkSource::config_file)),
        xml::group("initiator",
                   xml::group("iqn", xml::attr("name", &NetworkSource::initiator_iqn))),
        xml::group("ssl", xml::attr("verify", &NetworkSource::ssl_verify)),
        xml::group("cookies", xml::child(&NetworkSource::cookies)),
        xml::group("readahead", xml::attr("size", &NetworkSource::readahead_bytes)),
        xml::group("timeout", xml::attr("seconds", &NetworkSource::timeout_s)),
        xml::child(&NetworkSource::reconnect),
        xml::group("identity",
                   xml::attr("user", &NetworkSource::nfs_user),
                   xml::attr("group", &NetworkSource::nfs_group)));
    return type;
}

const xml::Type& describe(const VolumeSource*) {
    static const xml::Type type =
        xml::element<VolumeSource>("source",
                                   xml::attr("pool", &VolumeSource::pool),
                                   xml::attr("volume", &VolumeSource::volume),
                                   xml::attr("mode", &VolumeSource::mode));
    return type;
}

const xml::Type& describe(const NvmeSource*) {
    static const xml::Type type =
        xml::element<NvmeSource>("source",
                                 xml::attr("type", &NvmeSource::transport),
                                 xml::attr("managed", &NvmeSource::managed),
                                 xml::attr("namespace", &NvmeSource::namespace_id),
                                 xml::child(&NvmeSource::controller));
    return type;
}

const xml::Type& describe(const VhostUserSource*) {
    static const xml::Type type =
        xml::element<VhostUserSource>("source",
                                      xml::attr("type", &VhostUserSource::transport),
                                      xml::attr("path", &VhostUserSource::path),
                                      xml::child(&VhostUserSource::reconnect));
    return type;
}

const xml::Type& describe(const VhostVdpaSource*) {
    static const xml::Type type =
        xml::element<VhostVdpaSource>("source", xml::attr("dev", &VhostVdpaSource::device));
    return type;
}

const xml::Type& describe(const DiskImage*) {
    static const xml::Type type = xml::element<DiskImage>(
        "backingStore",
        image_type().write_if([](const DiskImage& i) { return !i.is_empty(); }),
        xml::attr("index", &DiskImage::index),
        xml::group("format", xml::attr("type", &DiskImage::format), image_metadata_cache()),
        image_source(),
        xml::child(&DiskImage::backing));
    return type;
}

} // namespace vireo::qemu
