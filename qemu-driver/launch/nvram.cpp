// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/nvram.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "qemu-driver/domain_summary.hpp"

#include <unistd.h>

namespace vireo::qemu {

Task<void> prepare_nvram(Loop& loop, std::shared_ptr<const DomainDef> def, bool reset) {
    const std::string path =
        def->os.nvram ? local_path(def->os.nvram->storage()).value_or("") : std::string();
    if (path.empty() || (!reset && ::access(path.c_str(), F_OK) == 0)) {
        co_return;
    }
    const std::string from = def->os.nvram->template_path.value_or("");
    if (from.empty()) {
        throw Error(ErrorCode::operation_failed,
                    "nvram '{}' cannot be made: no template is named and no firmware descriptor "
                    "has one for its loader",
                    path);
    }
    std::function<void()> copy = [path, from] {
        make_folders(path.substr(0, path.rfind('/')));
        write_file_durably(path, read_file(from));
    };
    co_await Offload<void>(loop, std::move(copy));
}

} // namespace vireo::qemu
