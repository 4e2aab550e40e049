// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/seal_secret.hpp"

#include "libshared/error.hpp"

#include <gcrypt.h>

#include <memory>
#include <span>

namespace vireo::qemu {

namespace {

void check_gcrypt(gcry_error_t error, const char* what) {
    if (error != 0) {
        throw Error(ErrorCode::internal, "{}: {}", what, gcry_strerror(error));
    }
}

struct CloseCipher {
    void operator()(gcry_cipher_hd_t cipher) const noexcept { gcry_cipher_close(cipher); }
};

using Cipher = std::unique_ptr<gcry_cipher_handle, CloseCipher>;

/// libgcrypt wants to be initialized once, and says so on stderr when it is not.
void init_gcrypt() {
    static const bool done = [] {
        gcry_check_version(nullptr);
        gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
        gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
        return true;
    }();
    static_cast<void>(done);
}

std::string base64(std::span<const uint8_t> bytes) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (size_t i = 0; i < bytes.size(); i += 3) {
        uint32_t group = 0;
        const size_t count = std::min<size_t>(3, bytes.size() - i);
        for (size_t k = 0; k < 3; ++k) {
            group = group << 8 | (k < count ? bytes[i + k] : 0U);
        }
        for (size_t k = 0; k < 4; ++k) {
            text += k <= count ? digits[group >> (18 - 6 * k) & 63] : '=';
        }
    }
    return text;
}

} // namespace

SealedSecret seal_secret(std::string_view secret, const MasterKey& key, const SealIv& iv) {
    init_gcrypt();
    gcry_cipher_hd_t opened = nullptr;
    check_gcrypt(gcry_cipher_open(&opened, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_CBC, 0), "AES");
    const Cipher cipher(opened);
    check_gcrypt(gcry_cipher_setkey(opened, key.data(), key.size()), "set the master key");
    check_gcrypt(gcry_cipher_setiv(opened, iv.data(), iv.size()), "set the initialization vector");
    constexpr size_t block = 16;
    const auto padding = static_cast<uint8_t>(block - secret.size() % block);
    std::vector<uint8_t> bytes(secret.begin(), secret.end());
    bytes.resize(secret.size() + padding, padding);
    check_gcrypt(gcry_cipher_encrypt(opened, bytes.data(), bytes.size(), nullptr, 0), "encrypt");
    return {base64(bytes), base64(iv)};
}

} // namespace vireo::qemu
