// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/bus/codec.hpp"
#include "libshared/bus/properties.hpp"
#include "libshared/bus/types.hpp"

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::bus {

/// The objects that a daemon serves, the same on each connection. Nothing is registered per object:
/// a collection maps a path to its live object when a call arrives.
///
///     tree.add_object("/org/libvirt/QEMU", "org.libvirt.Connect", connect_vtable, connect);
///     tree.add_collection<DomainInterface>("/org/libvirt/QEMU/domain", "org.libvirt.Domain",
///                                          domain_vtable, find_domain);
///
/// It answers Properties.GetAll and Properties.Set itself: GetAll because libvirt-dbus puts one
/// more variant around each value of `org.libvirt.*`, Set because a setter may have to wait.
class ObjectTree {
  public:
    ObjectTree() = default;
    ObjectTree(const ObjectTree&) = delete;
    ObjectTree& operator=(const ObjectTree&) = delete;

    /// `vtable` and `interface` live as long as the program.
    template <class T>
    void add_object(std::string path,
                    const char* interface,
                    const sd_bus_vtable* vtable,
                    std::shared_ptr<T> object,
                    WaitingProperties waiting = {}) {
        add(Export{*this,
                   std::move(path),
                   interface,
                   vtable,
                   false,
                   [object = std::move(object)](std::string_view) {
                       return std::shared_ptr<void>(object);
                   },
                   {},
                   std::move(waiting)});
    }

    /// All paths below `prefix`. `find` throws what the caller is to be told where there is no such
    /// object (`Domain not found: …`), or gives null: UnknownObject. `list` gives the paths of all
    /// live objects, for introspection and ObjectManager; it may be empty.
    template <class T>
    void add_collection(std::string prefix,
                        const char* interface,
                        const sd_bus_vtable* vtable,
                        std::function<std::shared_ptr<T>(std::string_view path)> find,
                        std::function<std::vector<std::string>()> list = {}) {
        add(Export{*this,
                   std::move(prefix),
                   interface,
                   vtable,
                   true,
                   [find = std::move(find)](std::string_view path) {
                       return std::shared_ptr<void>(find(path));
                   },
                   std::move(list),
                   {}});
    }

    /// Serves org.freedesktop.DBus.ObjectManager at `path` over the collections below it.
    void add_object_manager(std::string path) { managers_.push_back(std::move(path)); }

    /// Serves everything on `connection` from now on, until it is detached.
    void attach(sd_bus* connection);
    /// The attached connection can be written to: it gets the signals that nobody has had yet.
    void started(sd_bus* connection);
    void detach(sd_bus* connection) noexcept;
    /// Lets go of all connections, objects and collections: for a service that is about to end.
    void clear() noexcept;

    /// Sends a signal on every connection. What is sent before the first one is there is kept for
    /// it: what a restarted daemon finds changed must reach somebody.
    template <class... A>
    void emit(const std::string& path,
              const char* interface,
              const char* member,
              const A&... arguments) {
        on_each([=](sd_bus* connection) {
            const Message message = new_signal(connection, path, interface, member);
            (append(message.get(), arguments), ...);
            send(message);
        });
    }

    /// PropertiesChanged with the values of now.
    void properties_changed(const std::string& path,
                            const char* interface,
                            std::span<const char* const> names);
    /// ObjectManager's InterfacesAdded and InterfacesRemoved. Both tell the interfaces that `find`
    /// gives an object for: call object_removed while it still does.
    void object_added(const std::string& path);
    void object_removed(const std::string& path);

  private:
    struct Export {
        ObjectTree& tree;
        std::string path;
        const char* interface;
        const sd_bus_vtable* vtable;
        bool collection;
        std::function<std::shared_ptr<void>(std::string_view)> find;
        std::function<std::vector<std::string>()> list;
        WaitingProperties waiting;
    };

    static int on_find(sd_bus* connection,
                       const char* path,
                       const char* interface,
                       void* context,
                       void** found,
                       sd_bus_error* error) noexcept;
    static int on_list(sd_bus* connection,
                       const char* prefix,
                       void* context,
                       char*** nodes,
                       sd_bus_error* error) noexcept;
    static int on_message(sd_bus_message* message, void* self, sd_bus_error* error) noexcept;
    static int on_release(sd_event_source* source, void* self) noexcept;

    void hold(sd_bus* connection, std::shared_ptr<void> object);

    void on_each(std::function<void(sd_bus*)> tell);

    void add(Export entry) { exports_.push_back(std::move(entry)); }

    const Export* export_for(std::string_view path, std::string_view interface) const;
    bool get(sd_bus_message* call, const Export& entry);
    void get_all(sd_bus_message* call, const Export& entry);
    void set(sd_bus_message* call, const Export& entry);
    static Message new_signal(sd_bus* connection,
                              const std::string& path,
                              const char* interface,
                              const char* member);
    static void send(const Message& message);

    std::list<Export> exports_; // sd-bus holds pointers to them
    std::vector<std::string> managers_;
    std::map<sd_bus*, std::vector<Slot>> connections_;
    std::vector<std::function<void(sd_bus*)>> kept_; // until the first connection
    bool connected_once_ = false;
    std::shared_ptr<void> found_; // alive while sd-bus hands its pointer to the handler
    Source release_;              // lets go of it afterwards
};

} // namespace vireo::bus
