// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/store/definitions.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/store/identity.hpp"
#include "qemu-driver/store/index.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>
#include <memory>
#include <unordered_set>

namespace vireo::qemu {

namespace {

constexpr std::string_view suffix = ".xml";
constexpr std::size_t uuid_length = 36;

struct CloseFolder {
    void operator()(DIR* folder) const noexcept { closedir(folder); }
};

using Folder = std::unique_ptr<DIR, CloseFolder>;

Folder open_folder(const std::string& path) {
    Folder folder(opendir(path.c_str()));
    check_errno(folder ? 0 : -1, fmt::format("open folder '{}'", path));
    return folder;
}

std::string document_path(const std::string& folder, const std::string& uuid) {
    return fmt::format("{}/{}{}", folder, uuid, suffix);
}

void write_index_file(const std::string& index_path, const std::vector<StoredDomain>& domains) {
    Index index;
    index.reserve(domains.size());
    for (const StoredDomain& domain : domains) {
        index.emplace(domain.uuid, IndexEntry{domain.mark, domain.name, domain.summary});
    }
    write_file(index_path, format_index(index));
}

} // namespace

Definitions::Definitions(Loop& loop, const std::string& config, const std::string& cache)
    : loop_(loop), folder_(config + "/qemu"), index_path_(cache + "/qemu/domains.index") {
    make_folders(folder_ + "/autostart");
    make_folders(cache + "/qemu");
    remove_unfinished(folder_);
    remove_unfinished(folder_ + "/autostart");
    remove_unfinished(cache + "/qemu");
}

std::string Definitions::path_of(const std::string& uuid) const {
    return document_path(folder_, uuid);
}

std::string Definitions::autostart_path_of(const std::string& uuid) const {
    return fmt::format("{}/autostart/{}", folder_, uuid);
}

std::vector<StoredDomain> Definitions::load() {
    std::unordered_set<std::string> autostarted;
    const Folder autostart = open_folder(folder_ + "/autostart");
    while (const dirent* entry = readdir(autostart.get())) {
        autostarted.emplace(entry->d_name);
    }

    Index index = parse_index(read_file_if_exists(index_path_).value_or(""));
    std::size_t known = 0;
    std::vector<StoredDomain> domains;
    const Folder folder = open_folder(folder_);
    while (const dirent* entry = readdir(folder.get())) {
        const std::string_view file = entry->d_name;
        if (file.size() != uuid_length + suffix.size() || !file.ends_with(suffix)) {
            continue;
        }
        StoredDomain domain;
        domain.uuid = file.substr(0, uuid_length);

        struct stat status {};

        if (fstatat(dirfd(folder.get()), entry->d_name, &status, 0) != 0) {
            continue; // gone meanwhile
        }
        domain.mark = mark_of(status);
        const auto found = index.find(domain.uuid);
        if (found != index.end() && found->second.mark == domain.mark) {
            domain.name = std::move(found->second.name);
            domain.summary = std::move(found->second.summary);
            ++known;
        } else {
            try {
                DomainIdentity identity = read_identity(read_file(path_of(domain.uuid)));
                if (identity.uuid != domain.uuid) {
                    throw Error(
                        ErrorCode::xml_error, "it holds the domain with uuid '{}'", identity.uuid);
                }
                domain.name = std::move(identity.name);
            } catch (const Error& e) {
                log::error("definition '{}' is passed over: {}", path_of(domain.uuid), e.phrased());
                continue;
            }
        }
        domain.autostart = autostarted.contains(domain.uuid);
        domains.push_back(std::move(domain));
    }
    index_is_stale_ = known != domains.size() || index.size() != domains.size();
    return domains;
}

std::string Definitions::read(const std::string& uuid) const {
    return read_file(path_of(uuid));
}

Task<FileMark> Definitions::save(std::string uuid, std::string name, std::string document) {
    index_is_stale_ = true;
    const std::string path = path_of(uuid);
    try {
        co_await save_file(loop_, path, std::move(document));

        struct stat status {};

        check_errno(stat(path.c_str(), &status), fmt::format("look at '{}'", path));
        co_return mark_of(status);
    } catch (Error& e) {
        throw e.within(fmt::format("store domain '{}'", name));
    }
}

Task<void> Definitions::remove(std::string uuid) {
    index_is_stale_ = true;
    co_await delete_file(loop_, autostart_path_of(uuid));
    co_await delete_file(loop_, path_of(uuid));
}

Task<void> Definitions::set_autostart(std::string uuid, bool autostart) {
    if (autostart) {
        std::string nothing;
        co_await save_file(loop_, autostart_path_of(uuid), std::move(nothing));
    } else {
        co_await delete_file(loop_, autostart_path_of(uuid));
    }
}

void Definitions::write_index(const std::vector<StoredDomain>& domains) {
    index_is_stale_ = false;
    write_index_file(index_path_, domains);
}

Task<void> Definitions::save_index(std::vector<StoredDomain> domains) {
    index_is_stale_ = false; // what changes from here on makes it stale again
    std::function<void()> work = [index_path = index_path_, domains = std::move(domains)] {
        write_index_file(index_path, domains);
    };
    co_await Offload<void>(loop_, std::move(work));
}

} // namespace vireo::qemu
