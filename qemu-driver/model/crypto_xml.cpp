// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/crypto_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

const xml::Type& describe(const CryptoDef*) {
    static const xml::Type type =
        xml::element<CryptoDef>("crypto",
                                xml::attr("model", &CryptoDef::model),
                                xml::attr("type", &CryptoDef::type),
                                xml::group("backend",
                                           xml::attr("model", &CryptoDef::backend),
                                           xml::attr("queues", &CryptoDef::queues)),
                                xml::group("driver", xml::embed(&CryptoDef::virtio)),
                                xml::embed(&CryptoDef::info));
    return type;
}

} // namespace vireo::qemu
