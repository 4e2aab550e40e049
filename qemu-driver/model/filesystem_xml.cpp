// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/filesystem_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const VirtiofsBinary*) {
    static const xml::Type type = xml::element<VirtiofsBinary>(
        "binary",
        xml::attr("path", &VirtiofsBinary::path),
        xml::attr("xattr", &VirtiofsBinary::xattr),
        xml::group("cache", xml::attr("mode", &VirtiofsBinary::cache)),
        xml::group("sandbox", xml::attr("mode", &VirtiofsBinary::sandbox)),
        xml::group("lock",
                   xml::attr("posix", &VirtiofsBinary::posix_lock),
                   xml::attr("flock", &VirtiofsBinary::flock)),
        xml::group("thread_pool", xml::attr("size", &VirtiofsBinary::thread_pool_size)));
    return type;
}

const xml::Type& describe(const FilesystemDef*) {
    static const xml::Type type = xml::element<FilesystemDef>(
        "filesystem",
        xml::attr("type", &FilesystemDef::type),
        xml::attr("accessmode", &FilesystemDef::access_mode),
        xml::attr("model", &FilesystemDef::model),
        xml::attr("multidevs", &FilesystemDef::multidevs),
        xml::attr("fmode", &FilesystemDef::fmode, Octal{}),
        xml::attr("dmode", &FilesystemDef::dmode, Octal{}),
        xml::group("driver",
                   xml::attr("type", &FilesystemDef::driver),
                   xml::attr("format", &FilesystemDef::format),
                   xml::attr("wrpolicy", &FilesystemDef::write_policy),
                   xml::attr("queue", &FilesystemDef::queue_size),
                   xml::embed(&FilesystemDef::virtio)),
        xml::child(&FilesystemDef::binary),
        xml::group("source",
                   xml::attr("dir", &FilesystemDef::source_dir),
                   xml::attr("file", &FilesystemDef::source_file),
                   xml::attr("dev", &FilesystemDef::source_dev),
                   xml::attr("name", &FilesystemDef::source_name),
                   xml::attr("usage", &FilesystemDef::source_usage),
                   xml::attr("units", &FilesystemDef::source_units),
                   xml::attr("socket", &FilesystemDef::source_socket)),
        xml::group("target", xml::attr("dir", &FilesystemDef::target_dir)),
        xml::flag("readonly", &FilesystemDef::readonly),
        xml::text("space_hard_limit", &FilesystemDef::hard_limit_bytes, xml::bytes),
        xml::text("space_soft_limit", &FilesystemDef::soft_limit_bytes, xml::bytes),
        xml::embed(&FilesystemDef::info));
    return type;
}

} // namespace vireo::qemu
