// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "storage-driver/backend/image_command.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::storage;

namespace {

using Words = std::vector<std::string>;

VolumeDef volume(VolumeFormat format, uint64_t capacity) {
    VolumeDef made;
    made.name = "a";
    made.capacity = capacity;
    made.target.format.type = format;
    return made;
}

std::string refusal(const VolumeDef& volume, bool preallocate = false) {
    try {
        create_image_arguments(volume, "/p/a", preallocate);
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::config_unsupported);
        return error.what();
    }
    return "accepted";
}

} // namespace

TEST_CASE("a raw volume has all of its space unless it says otherwise") {
    VolumeDef raw = volume(VolumeFormat::raw, 1025);
    CHECK(create_image_arguments(raw, "/p/a", false) ==
          Words{"create", "-f", "raw", "-o", "preallocation=falloc", "/p/a", "2K"});
    raw.allocation = 0;
    CHECK(create_image_arguments(raw, "/p/a", false) == Words{"create", "-f", "raw", "/p/a", "2K"});
    CHECK(create_image_arguments(volume(VolumeFormat::iso, 1024), "/p/a", false) ==
          Words{"create", "-f", "raw", "/p/a", "1K"});
}

TEST_CASE("a qcow2 volume's wishes become options") {
    VolumeDef qcow2 = volume(VolumeFormat::qcow2, 4096);
    CHECK(create_image_arguments(qcow2, "/p/a", true) ==
          Words{"create", "-f", "qcow2", "-o", "preallocation=metadata,compat=0.10", "/p/a", "4K"});
    qcow2.target.compat = "1.1";
    qcow2.target.cluster_size = 131072;
    qcow2.target.features = VolumeFeatures{.lazy_refcounts = true, .extended_l2 = true};
    qcow2.backing = BackingStore{};
    qcow2.backing->path = "/p/base,with=comma";
    qcow2.capacity.reset();
    CHECK(create_image_arguments(qcow2, "/p/a", false) ==
          Words{"create",
                "-f",
                "qcow2",
                "-b",
                "/p/base,with=comma",
                "-o",
                "backing_fmt=raw,compat=1.1,cluster_size=131072,lazy_refcounts,extended_l2=on",
                "/p/a"});
}

TEST_CASE("what a format does not have is refused") {
    VolumeDef raw = volume(VolumeFormat::raw, 1024);
    CHECK(refusal(raw, true) == "volume 'a': format 'raw' has no metadata to preallocate");
    raw.backing = BackingStore{};
    CHECK(refusal(raw) == "volume 'a': format 'raw' has no backing file");
    CHECK(refusal(volume(VolumeFormat::dir, 0)) ==
          "volume 'a': images of format 'dir' cannot be created");
    VolumeDef old = volume(VolumeFormat::qcow2, 1024);
    old.target.compat = "0.10";
    old.target.features = VolumeFeatures{.lazy_refcounts = true, .extended_l2 = false};
    CHECK(refusal(old) == "volume 'a': lazy_refcounts and extended_l2 need compat 1.1");
    VolumeDef encrypted = volume(VolumeFormat::qcow2, 1024);
    encrypted.target.encryption = xml::Raw{"<encryption format='luks'/>"};
    CHECK(refusal(encrypted) == "volume 'a': encrypted volumes cannot be created yet");
}

TEST_CASE("resizing names the format, and what may happen to the data") {
    CHECK(resize_image_arguments(VolumeFormat::qcow2, "/p/a", 4096, false, false) ==
          Words{"resize", "-f", "qcow2", "/p/a", "4K"});
    CHECK(resize_image_arguments(VolumeFormat::raw, "/p/a", 4096, true, true) ==
          Words{"resize", "-f", "raw", "--preallocation=falloc", "--shrink", "/p/a", "4K"});
}
