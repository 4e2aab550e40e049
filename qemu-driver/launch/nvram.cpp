// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/nvram.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/error.hpp"
#include "libshared/files.hpp"

#include <unistd.h>

namespace vireo::qemu {

std::string nvram_path(const DomainDef& def) {
    if (!def.os.nvram) {
        return {};
    }
    const DiskImage image = def.os.nvram->storage();
    const auto* file = std::get_if<FileSource>(&image.source);
    return file == nullptr ? std::string() : file->path.value_or("");
}

Task<void> prepare_nvram(Loop& loop, std::shared_ptr<const DomainDef> def) {
    const std::string path = nvram_path(*def);
    if (path.empty() || ::access(path.c_str(), F_OK) == 0) {
        co_return;
    }
    const std::string from = def->os.nvram->template_path.value_or("");
    if (from.empty()) {
        throw Error(ErrorCode::operation_failed,
                    "nvram '{}' does not exist and no template is named to make it from",
                    path);
    }
    std::function<void()> copy = [path, from] {
        make_folders(path.substr(0, path.rfind('/')));
        write_file_durably(path, read_file(from));
    };
    co_await Offload<void>(loop, std::move(copy));
}

} // namespace vireo::qemu
