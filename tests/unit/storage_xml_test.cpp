// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "storage-driver/model/pool_def.hpp"
#include "storage-driver/model/volume_def.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace vireo;
using namespace vireo::storage;

namespace {

void check_refused(ErrorCode code, const std::string& part, const std::function<void()>& parse) {
    CAPTURE(part);
    try {
        parse();
        FAIL_CHECK("accepted");
    } catch (const Error& error) {
        const std::string text = error.what();
        CAPTURE(text);
        CHECK(error.code() == code);
        CHECK(text.find(part) != std::string::npos);
    }
}

void check_pool_refused(ErrorCode code, const std::string& part, const std::string& document) {
    check_refused(code, part, [&] { parse_pool(document); });
}

void check_volume_refused(const std::string& part, const std::string& document) {
    check_refused(ErrorCode::xml_error, part, [&] { parse_volume(document); });
}

const std::string uuid = "70a7eb15-6c34-ee9c-bf57-69e8e5ff3fb2";

} // namespace

TEST_CASE("a folder's pool is completed and written as libvirt writes it") {
    const PoolDef pool = parse_pool("<pool type='dir'><name>images</name><uuid>" + uuid +
                                    "</uuid><target><path>//var///images/</path><permissions>"
                                    "<mode>0711</mode><owner>-1</owner><group>7</group>"
                                    "</permissions></target></pool>");
    CHECK(pool.target.path == "/var/images");
    CHECK(format_pool(pool) == "<pool type='dir'>\n"
                               "  <name>images</name>\n"
                               "  <uuid>" +
                                   uuid +
                                   "</uuid>\n"
                                   "  <capacity unit='bytes'>0</capacity>\n"
                                   "  <allocation unit='bytes'>0</allocation>\n"
                                   "  <available unit='bytes'>0</available>\n"
                                   "  <source/>\n"
                                   "  <target>\n"
                                   "    <path>/var/images</path>\n"
                                   "    <permissions>\n"
                                   "      <mode>0711</mode>\n"
                                   "      <group>7</group>\n"
                                   "    </permissions>\n"
                                   "  </target>\n"
                                   "</pool>\n");
    CHECK(parse_pool(format_pool(pool)) == pool);
}

TEST_CASE("a pool without UUID gets one of its own") {
    const std::string document =
        "<pool type='dir'><name>a</name><target><path>/a</path></target></pool>";
    const PoolDef first = parse_pool(document);
    CHECK(normal_uuid(first.uuid) == first.uuid);
    CHECK(first.uuid.at(14) == '4');
    CHECK(parse_pool(document).uuid != first.uuid);
}

TEST_CASE("a pool that cannot be served is refused with the reason") {
    const auto pool = [](const std::string& type, const std::string& contents) {
        return "<pool type='" + type + "'>" + contents + "</pool>";
    };
    const std::string target = "<target><path>/x</path></target>";
    check_pool_refused(
        ErrorCode::config_unsupported,
        "pool 'vg': type 'logical' is not supported",
        pool("logical", "<name>vg</name><source><device path='/dev/sda'/></source>"));
    check_pool_refused(
        ErrorCode::xml_error, "'cloud' is not one of dir, fs", pool("cloud", "<name>c</name>"));
    check_pool_refused(ErrorCode::xml_error, "pool name '' is empty", pool("dir", target));
    check_pool_refused(
        ErrorCode::xml_error, "contains '/'", pool("dir", "<name>a/b</name>" + target));
    check_pool_refused(ErrorCode::xml_error, "own", pool("dir", "<name>..</name>" + target));
    check_pool_refused(ErrorCode::xml_error,
                       "has 300 bytes",
                       pool("dir", "<name>" + std::string(300, 'a') + "</name>" + target));
    check_pool_refused(
        ErrorCode::xml_error, "target/path is missing", pool("dir", "<name>a</name>"));
    check_pool_refused(ErrorCode::xml_error,
                       "'images' is not absolute",
                       pool("dir", "<name>a</name><target><path>images</path></target>"));
    check_pool_refused(ErrorCode::xml_error,
                       "is not a file mode in octal",
                       pool("dir",
                            "<name>a</name><target><path>/x</path><permissions><mode>rwx</mode>"
                            "</permissions></target>"));
    check_pool_refused(ErrorCode::xml_error, "line 1", "<pool type='dir'><name>a</pool>");
    check_pool_refused(ErrorCode::xml_error, "", "<volume/>");
}

TEST_CASE("unknown elements of a pool are refused only where that is asked for") {
    const std::string document = "<pool type='dir'><name>a</name><colour>red</colour>"
                                 "<target><path>/a</path></target></pool>";
    CHECK_NOTHROW(parse_pool(document));
    check_refused(
        ErrorCode::xml_error, "'colour' is not known", [&] { parse_pool(document, true); });
}

TEST_CASE("a UUID is known with and without dashes, in either case") {
    CHECK(normal_uuid("70A7EB156C34EE9CBF5769E8E5FF3FB2") == uuid);
    CHECK_FALSE(normal_uuid("70a7eb15-6c34").has_value());
    CHECK_FALSE(normal_uuid(uuid + "0").has_value());
    CHECK_FALSE(normal_uuid("70a7eb15-6c34-ee9c-bf57-69e8e5ff3fbx").has_value());
}

TEST_CASE("a volume's sizes are bytes whatever they were given in") {
    const VolumeDef volume =
        parse_volume("<volume><name>a.img</name><capacity unit='GiB'>1"
                     "</capacity><allocation unit='KB'>5</allocation></volume>");
    CHECK(volume.capacity == 1ULL << 30);
    CHECK(volume.allocation == 5000U);
    CHECK(volume.target.format.type == VolumeFormat::raw);
}

TEST_CASE("a qcow2 volume is written as libvirt writes it") {
    const VolumeDef volume = parse_volume(
        "<volume><name>a</name><source/><capacity>1024</capacity><allocation>0</allocation>"
        "<target><format type='qcow2'/><timestamps><atime>1.5</atime></timestamps>"
        "<clusterSize unit='KiB'>128</clusterSize><features><lazy_refcounts/></features></target>"
        "<backingStore><path>/base</path><format type='raw'/></backingStore></volume>");
    CHECK(format_volume(volume) == R"(<volume type='file'>
  <name>a</name>
  <capacity unit='bytes'>1024</capacity>
  <allocation unit='bytes'>0</allocation>
  <target>
    <format type='qcow2'/>
    <compat>1.1</compat>
    <clusterSize unit='B'>131072</clusterSize>
    <features>
      <lazy_refcounts/>
    </features>
  </target>
  <backingStore>
    <path>/base</path>
    <format type='raw'/>
  </backingStore>
</volume>
)");
}

TEST_CASE("a volume without allocation is meant to have all of its capacity") {
    const VolumeDef volume = parse_volume("<volume><name>a</name><capacity>5</capacity></volume>");
    CHECK_FALSE(volume.allocation.has_value());
    CHECK(format_volume(volume).find("<allocation unit='bytes'>5</allocation>") !=
          std::string::npos);
}

TEST_CASE("a volume that makes no sense is refused with the reason") {
    check_volume_refused("contains '/'", "<volume><name>../etc/passwd</name></volume>");
    check_volume_refused("element 'name' is missing", "<volume/>");
    check_volume_refused("'9.9' is not one of 0.10, 1.1",
                         "<volume><name>a</name><target><compat>9.9</compat></target></volume>");
    check_volume_refused("backingStore/path is missing",
                         "<volume><name>a</name><backingStore/></volume>");
    check_volume_refused("capacity",
                         "<volume><name>a</name><capacity unit='EiB'>9</capacity></volume>");
    check_volume_refused("capacity", "<volume><name>a</name><capacity>-1</capacity></volume>");
    check_volume_refused("'tape' is not one of none, raw",
                         "<volume><name>a</name><target><format type='tape'/></target></volume>");
}
