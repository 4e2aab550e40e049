// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/guest_documents.hpp"

#include <array>
#include <fstream>

namespace vireo::test {

namespace {

/// A boot sector that enables the power button, writes an R to the first serial port, and turns the
/// machine off when the button is pressed or when a character arrives at the port. Registers of
/// the power management are where SeaBIOS puts them, at 0x600. Source: ACPI specification, "PM1".
constexpr std::array<unsigned char, 43> boot_code{
    0xba, 0x02, 0x06, // mov dx, 0x602: PM1 enable
    0xed,             // in ax, dx
    0x0d, 0x00, 0x01, // or ax, 0x100: the power button
    0xef,             // out dx, ax
    0xba, 0xf8, 0x03, // mov dx, 0x3f8: COM1
    0xb0, 0x52,       // mov al, 'R'
    0xee,             // out dx, al
    0xfb,             // sti
    0xf4,             // wait: hlt, until the timer's next tick
    0xba, 0xfd, 0x03, // mov dx, 0x3fd: line status
    0xec,             // in al, dx
    0xa8, 0x01,       // test al, 1: a character
    0x75, 0x09,       // jnz off
    0xba, 0x00, 0x06, // mov dx, 0x600: PM1 status
    0xed,             // in ax, dx
    0xf6, 0xc4, 0x01, // test ah, 1: the power button
    0x74, 0xee,       // jz wait
    0xba, 0x04, 0x06, // off: mov dx, 0x604: PM1 control
    0xb8, 0x00, 0x20, // mov ax, 0x2000: sleep, S5
    0xef,             // out dx, ax
    0xf4,             // hlt
    0xeb, 0xfd};      // jmp to the hlt

} // namespace

namespace {

std::string guest(const std::string& name, const std::string& devices, const std::string& serial) {
    return "<domain type='qemu'>\n"
           "  <name>" +
           name +
           "</name>\n"
           "  <memory unit='MiB'>64</memory>\n"
           "  <vcpu>1</vcpu>\n"
           "  <os><type arch='x86_64' machine='q35'>hvm</type></os>\n"
           "  <features><acpi/></features>\n"
           "  <devices>\n" +
           devices + serial +
           "  </devices>\n"
           "</domain>\n";
}

} // namespace

std::string small_guest(const std::string& name, const std::string& devices) {
    return guest(name, devices, "    <serial type='pty'/>\n");
}

std::string power_button_guest(const std::string& name, const std::filesystem::path& folder) {
    constexpr std::size_t signature = 510;
    std::string image(1 << 20, '\0');
    image.replace(
        0, boot_code.size(), reinterpret_cast<const char*>(boot_code.data()), boot_code.size());
    image.replace(signature, 2, "\x55\xaa");
    std::filesystem::create_directories(folder);
    std::ofstream(folder / (name + ".img")) << image;
    return guest(
        name,
        "    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='" +
            (folder / (name + ".img")).string() + "'/><target dev='sda' bus='sata'/></disk>\n",
        "    <serial type='unix'><source mode='bind' path='" +
            (folder / (name + ".serial")).string() + "'/></serial>\n");
}

} // namespace vireo::test
