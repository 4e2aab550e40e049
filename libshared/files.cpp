// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/files.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/error.hpp"
#include "libshared/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace vireo {

namespace {

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) {
        return ".";
    }
    return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_folder(const std::string& path) {
    struct stat status {};

    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

void sync_folder(const std::string& folder) {
    const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    check_errno(fd.get(), fmt::format("open folder '{}'", folder));
    check_errno(::fsync(fd.get()), fmt::format("sync folder '{}'", folder));
}

void write_fully(int fd, const std::string& content, const std::string& path) {
    std::size_t written = 0;
    while (written < content.size()) {
        const ssize_t size = ::write(fd, content.data() + written, content.size() - written);
        if (size >= 0) {
            written += static_cast<std::size_t>(size);
        } else if (errno != EINTR) {
            check(-errno, fmt::format("write '{}'", path));
        }
    }
}

constexpr std::string_view unfinished = ".new";

/// A file that takes its name only once it is whole. The leading dot and the suffix keep it out of
/// every listing, so that one left by a crash is never read as content.
class Replacement {
  public:
    explicit Replacement(const std::string& path) : path_(path) {
        const auto slash = path.rfind('/') + 1;
        temporary_ =
            fmt::format("{}.{}.XXXXXX{}", path.substr(0, slash), path.substr(slash), unfinished);
        fd_.reset(mkostemps(temporary_.data(), static_cast<int>(unfinished.size()), O_CLOEXEC));
        check_errno(fd_.get(), fmt::format("create a file beside '{}'", path));
    }

    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;

    ~Replacement() {
        if (!temporary_.empty()) {
            ::unlink(temporary_.c_str());
        }
    }

    void fill(const std::string& content, mode_t mode) {
        check_errno(::fchmod(fd_.get(), mode), fmt::format("set the mode of '{}'", path_));
        write_fully(fd_.get(), content, path_);
    }

    void sync() { check_errno(::fdatasync(fd_.get()), fmt::format("sync '{}'", path_)); }

    void take_name() {
        check_errno(::rename(temporary_.c_str(), path_.c_str()),
                    fmt::format("replace '{}'", path_));
        temporary_.clear();
    }

  private:
    const std::string& path_;
    std::string temporary_;
    Fd fd_;
};

} // namespace

std::optional<std::string> read_file_if_exists(const std::string& path, std::size_t most) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd && errno == ENOENT) {
        return std::nullopt;
    }
    check_errno(fd.get(), fmt::format("open '{}'", path));
    std::string content;

    struct stat status {};

    // Only a hint: files of /proc and /sys tell sizes from nothing to the whole address space.
    if (::fstat(fd.get(), &status) == 0 && status.st_size > 0) {
        content.reserve(std::min(static_cast<std::size_t>(status.st_size), most) + 1);
    }
    char buffer[16384];
    while (true) {
        const ssize_t size = ::read(fd.get(), buffer, sizeof buffer);
        if (size == 0) {
            return content;
        }
        if (size < 0) {
            if (errno != EINTR) {
                check(-errno, fmt::format("read '{}'", path));
            }
            continue;
        }
        content.append(buffer, static_cast<std::size_t>(size));
        if (content.size() > most) {
            throw Error(ErrorCode::read_failed, "'{}' has more than {} bytes", path, most);
        }
    }
}

std::string read_file(const std::string& path, std::size_t most) {
    auto content = read_file_if_exists(path, most);
    if (!content) {
        check(-ENOENT, fmt::format("open '{}'", path));
    }
    return std::move(*content);
}

void write_file_durably(const std::string& path, const std::string& content, mode_t mode) {
    Replacement replacement(path);
    replacement.fill(content, mode);
    replacement.sync();
    replacement.take_name();
    sync_folder(folder_of(path));
}

void write_file(const std::string& path, const std::string& content, mode_t mode) {
    Replacement replacement(path);
    replacement.fill(content, mode);
    replacement.take_name();
}

void remove_file_durably(const std::string& path) {
    if (::unlink(path.c_str()) != 0) {
        if (errno == ENOENT) {
            return;
        }
        check(-errno, fmt::format("remove '{}'", path));
    }
    sync_folder(folder_of(path));
}

void remove_unfinished(const std::string& folder) noexcept {
    std::error_code failure;
    for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end;
         entry.increment(failure)) {
        const std::string name = entry->path().filename().string();
        if (name.starts_with('.') && name.ends_with(unfinished)) {
            ::unlink(entry->path().c_str());
        }
    }
}

Task<void> save_file(Loop& loop, std::string path, std::string content, mode_t mode) {
    std::function<void()> work = [path = std::move(path), content = std::move(content), mode] {
        write_file_durably(path, content, mode);
    };
    co_await Offload<void>(loop, std::move(work));
}

Task<void> delete_file(Loop& loop, std::string path) {
    std::function<void()> work = [path = std::move(path)] { remove_file_durably(path); };
    co_await Offload<void>(loop, std::move(work));
}

void make_folders(const std::string& path, mode_t mode) {
    for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        const std::string part = path.substr(0, slash);
        if (::mkdir(part.c_str(), mode) != 0) {
            const int failure = errno != EEXIST ? errno : is_folder(part) ? 0 : ENOTDIR;
            check(-failure, fmt::format("create folder '{}'", part));
        }
        if (slash == std::string::npos) {
            return;
        }
    }
}

} // namespace vireo
