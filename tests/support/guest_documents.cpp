// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/guest_documents.hpp"

namespace vireo::test {

std::string small_guest(const std::string& name, const std::string& devices) {
    return "<domain type='qemu'>\n"
           "  <name>" +
           name +
           "</name>\n"
           "  <memory unit='MiB'>64</memory>\n"
           "  <vcpu>1</vcpu>\n"
           "  <os><type arch='x86_64' machine='q35'>hvm</type></os>\n"
           "  <features><acpi/></features>\n"
           "  <devices>\n" +
           devices +
           "    <serial type='pty'/>\n"
           "  </devices>\n"
           "</domain>\n";
}

} // namespace vireo::test
