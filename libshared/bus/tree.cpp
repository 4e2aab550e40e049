// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/tree.hpp"

#include "libshared/bus/properties.hpp"
#include "libshared/bus/reply.hpp"
#include "libshared/log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace vireo::bus {

namespace {

bool below(std::string_view path, std::string_view prefix) {
    return path.size() > prefix.size() + 1 && path.starts_with(prefix) &&
           path[prefix.size()] == '/';
}

void reply_error(sd_bus_message* call, const char* name, const std::string& text) {
    sd_bus_error error{};
    sd_bus_error_set(&error, name, text.c_str());
    sd_bus_reply_method_error(call, &error);
    sd_bus_error_free(&error);
}

} // namespace

void ObjectTree::attach(sd_bus* connection) {
    std::vector<Slot> slots; // all or, where one fails, none
    const auto keep = [&](auto&& register_with, const std::string& what) {
        sd_bus_slot* slot = nullptr;
        check(register_with(&slot), "export " + what);
        slots.emplace_back(slot);
    };
    keep([&](sd_bus_slot** slot) { return sd_bus_add_filter(connection, slot, &on_message, this); },
         "properties");
    for (Export& entry : exports_) {
        const char* path = entry.path.c_str();
        keep(
            [&](sd_bus_slot** slot) {
                return sd_bus_add_fallback_vtable(
                    connection, slot, path, entry.interface, entry.vtable, &on_find, &entry);
            },
            entry.path);
        if (entry.list) {
            keep(
                [&](sd_bus_slot** slot) {
                    return sd_bus_add_node_enumerator(connection, slot, path, &on_list, &entry);
                },
                entry.path);
        }
    }
    for (const std::string& path : managers_) {
        keep(
            [&](sd_bus_slot** slot) {
                return sd_bus_add_object_manager(connection, slot, path.c_str());
            },
            path);
    }
    connections_[connection] = std::move(slots);
}

void ObjectTree::started(sd_bus* connection) {
    connected_once_ = true;
    for (const auto& tell : std::exchange(kept_, {})) {
        try {
            tell(connection);
        } catch (const std::exception& e) {
            log::error("a kept signal is lost: {}", e.what());
        }
    }
}

void ObjectTree::detach(sd_bus* connection) noexcept {
    connections_.erase(connection);
    found_.reset();
}

void ObjectTree::clear() noexcept {
    kept_.clear();
    connections_.clear();
    release_.reset();
    found_.reset();
    exports_.clear();
}

/// An object that is held longer than its call would outlive its removal, at worst the service.
void ObjectTree::hold(sd_bus* connection, std::shared_ptr<void> object) {
    found_ = std::move(object);
    sd_event* const event = sd_bus_get_event(connection);
    if (event == nullptr || !found_) {
        return;
    }
    if (release_) {
        check(sd_event_source_set_enabled(release_.get(), SD_EVENT_ONESHOT), "hold an object");
        return;
    }
    sd_event_source* source = nullptr;
    check(sd_event_add_defer(event, &source, &on_release, this), "hold an object");
    release_.reset(source);
}

int ObjectTree::on_release(sd_event_source*, void* self) noexcept {
    // Its destructor may look other objects up.
    const auto last = std::move(static_cast<ObjectTree*>(self)->found_);
    return 0;
}

int ObjectTree::on_find(sd_bus* connection,
                        const char* path,
                        const char* interface,
                        void* context,
                        void** found,
                        sd_bus_error* error) noexcept {
    auto& entry = *static_cast<Export*>(context);
    try {
        if (entry.collection ? !below(path, entry.path) : entry.path != path) {
            return 0;
        }
        entry.tree.hold(connection, entry.find(path));
        *found = entry.tree.found_.get();
        return *found == nullptr ? 0 : 1;
    } catch (...) {
        to_bus_error(error, std::current_exception(), interface);
        return -ENOENT;
    }
}

int ObjectTree::on_list(
    sd_bus*, const char*, void* context, char*** nodes, sd_bus_error* error) noexcept {
    try {
        const std::vector<std::string> paths = static_cast<Export*>(context)->list();
        auto** array =
            static_cast<char**>(std::calloc(paths.size() + 1, sizeof(char*))); // sd-bus frees it
        if (array == nullptr) {
            return -ENOMEM;
        }
        for (std::size_t i = 0; i < paths.size(); ++i) {
            array[i] = strdup(paths[i].c_str());
        }
        *nodes = array;
        return 0;
    } catch (...) {
        to_bus_error(error, std::current_exception(), nullptr);
        return -EIO;
    }
}

const ObjectTree::Export* ObjectTree::export_for(std::string_view path,
                                                 std::string_view interface) const {
    for (const Export& entry : exports_) {
        if (interface == entry.interface &&
            (entry.collection ? below(path, entry.path) : path == entry.path)) {
            return &entry;
        }
    }
    return nullptr;
}

int ObjectTree::on_message(sd_bus_message* message, void* context, sd_bus_error*) noexcept {
    auto& self = *static_cast<ObjectTree*>(context);
    const char* interface = sd_bus_message_get_interface(message);
    const char* member = sd_bus_message_get_member(message);
    if (interface == nullptr || std::strcmp(interface, "org.freedesktop.DBus.Properties") != 0 ||
        sd_bus_message_is_method_call(message, nullptr, nullptr) <= 0) {
        return 0;
    }
    const std::string_view verb = member;
    const char* signature = verb == "GetAll" ? "s" : verb == "Get" ? "ss" : "ssv";
    try {
        if (sd_bus_message_has_signature(message, signature) <= 0) {
            return 0; // sd-bus says what is wrong with it
        }
        check(sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &interface),
              "read a D-Bus message");
        const Export* entry = self.export_for(sd_bus_message_get_path(message), interface);
        bool answered = entry != nullptr;
        if (entry != nullptr && verb == "GetAll") {
            self.get_all(message, *entry);
        } else if (entry != nullptr && verb == "Set") {
            self.set(message, *entry);
        } else if (entry != nullptr) {
            answered = self.get(message, *entry);
        }
        if (!answered) {
            sd_bus_message_rewind(message, 1);
        }
        return answered ? 1 : 0;
    } catch (...) {
        Reply(Message::share(message), interface).fail(std::current_exception());
    }
    return 1;
}

bool ObjectTree::get(sd_bus_message* call, const Export& entry) {
    const char* name = nullptr;
    check(sd_bus_message_read_basic(call, SD_BUS_TYPE_STRING, &name), "read a D-Bus message");
    const WaitingProperty* waiting = find_waiting(entry.waiting, name);
    const std::shared_ptr<void> object =
        waiting == nullptr ? nullptr : entry.find(sd_bus_message_get_path(call));
    if (!object) {
        return false;
    }
    const sd_bus_vtable* item = find_property(entry.vtable, name);
    entry.waiting.tasks->spawn(
        answer_get(
            object, Reply(Message::share(call), entry.interface), new_return(call), item, waiting),
        fmt::format("read {}", name));
    return true;
}

void ObjectTree::get_all(sd_bus_message* call, const Export& entry) {
    const std::shared_ptr<void> object = entry.find(sd_bus_message_get_path(call));
    if (!object) {
        return reply_error(call, SD_BUS_ERROR_UNKNOWN_OBJECT, "unknown object");
    }
    auto answering = answer_get_all(object,
                                    Reply(Message::share(call), entry.interface),
                                    new_return(call),
                                    entry.vtable,
                                    &entry.waiting,
                                    entry.interface);
    if (entry.waiting.tasks != nullptr) {
        entry.waiting.tasks->spawn(std::move(answering), "read all properties");
    } else {
        answering.handle().resume(); // nothing in it waits
    }
}

void ObjectTree::set(sd_bus_message* call, const Export& entry) {
    const std::shared_ptr<void> object = entry.find(sd_bus_message_get_path(call));
    if (!object) {
        return reply_error(call, SD_BUS_ERROR_UNKNOWN_OBJECT, "unknown object");
    }
    const char* name = nullptr;
    check(sd_bus_message_read_basic(call, SD_BUS_TYPE_STRING, &name), "read a D-Bus message");
    if (const sd_bus_vtable* item = find_property(entry.vtable, name)) {
        const auto& property = item->x.property;
        if (property.set == nullptr) {
            return reply_error(call,
                               SD_BUS_ERROR_PROPERTY_READ_ONLY,
                               fmt::format("property '{}' is read-only", name));
        }
        const char* contents = nullptr;
        check(sd_bus_message_peek_type(call, nullptr, &contents), "read a D-Bus message");
        if (std::strcmp(contents, property.signature) != 0) {
            return reply_error(
                call,
                SD_BUS_ERROR_INVALID_ARGS,
                fmt::format(
                    "property '{}' has type '{}', not '{}'", name, property.signature, contents));
        }
        check(sd_bus_message_enter_container(call, SD_BUS_TYPE_VARIANT, contents),
              "read a D-Bus message");
        property.set(nullptr, nullptr, entry.interface, name, call, object.get(), nullptr);
        return;
    }
    reply_error(call,
                SD_BUS_ERROR_UNKNOWN_PROPERTY,
                fmt::format("no property '{}' on {}", name, entry.interface));
}

Message ObjectTree::new_signal(sd_bus* connection,
                               const std::string& path,
                               const char* interface,
                               const char* member) {
    sd_bus_message* message = nullptr;
    check(sd_bus_message_new_signal(connection, &message, path.c_str(), interface, member),
          "create a signal");
    return Message(message);
}

void ObjectTree::send(const Message& message) {
    sd_bus_send(
        nullptr, message.get(), nullptr); // a connection that has just gone misses it: no error
}

void ObjectTree::on_each(std::function<void(sd_bus*)> tell) {
    constexpr std::size_t most_kept = 100'000;
    for (const auto& [connection, slots] : connections_) {
        tell(connection);
    }
    if (!connected_once_ && kept_.size() < most_kept) {
        kept_.push_back(std::move(tell));
    }
}

void ObjectTree::properties_changed(const std::string& path,
                                    const char* interface,
                                    std::span<const char* const> names) {
    on_each([path, interface, kept = std::vector<const char*>(names.begin(), names.end())](
                sd_bus* connection) {
        std::vector<char*> array;
        for (const char* name : kept) {
            array.push_back(const_cast<char*>(name)); // NOLINT: sd-bus only reads them
        }
        array.push_back(nullptr);
        sd_bus_emit_properties_changed_strv(connection, path.c_str(), interface, array.data());
    });
}

void ObjectTree::object_added(const std::string& path) {
    on_each([path](sd_bus* connection) { sd_bus_emit_object_added(connection, path.c_str()); });
}

void ObjectTree::object_removed(const std::string& path) {
    on_each([path](sd_bus* connection) { sd_bus_emit_object_removed(connection, path.c_str()); });
}

} // namespace vireo::bus
