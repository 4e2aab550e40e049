// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/scope.hpp"
#include "libshared/async/task.hpp"
#include "libshared/bus/codec.hpp"
#include "libshared/bus/properties.hpp"
#include "libshared/bus/reply.hpp"

#include <systemd/sd-bus.h>

/// sd-bus vtables from member functions: signatures come from the C++ types, argument names show in
/// introspection, a handler is an ordinary member that returns a value or a Task.
///
///     constexpr sd_bus_vtable domain_vtable[] = {
///         bus::start(),
///         bus::property<&DomainInterface::name>("Name"),
///         bus::writable<&DomainInterface::autostart,
///         &DomainInterface::set_autostart>("Autostart"),
///         bus::method<&DomainInterface::get_xml_desc, "flags", "xml">("GetXMLDesc"),
///         bus::signal<"domain", "event", "detail">::of<ObjectPath, int, int>("DomainEvent"),
///         bus::end(),
///     };
///
/// A handler's first parameter may be a `bus::Caller`, which is not an argument. The class derives
/// from std::enable_shared_from_this and has `Scope& tasks()`, in which its coroutines live.
namespace vireo::bus {

namespace detail {

template <class R>
struct Result {
    using Value = R;
    static constexpr bool waits = false;
};

template <class R>
struct Result<Task<R>> {
    using Value = R;
    static constexpr bool waits = true;
};

template <class C, class R, class... A>
struct Signature {
    using Self = C;
    using Value = typename Result<R>::Value;
    using Arguments = std::tuple<std::remove_cvref_t<A>...>;
    static constexpr bool waits = Result<R>::waits;
    static constexpr bool wants_caller = false;
    static constexpr std::size_t arity = sizeof...(A);
    // The arguments live as long as the call's message: a coroutine would look at them later.
    static_assert(!waits || !(std::is_reference_v<A> || ...),
                  "a coroutine takes its arguments by value");
    static constexpr auto input =
        (FixedString("") + ... + Codec<std::remove_cvref_t<A>>::signature);
};

template <class C, class R, class... A>
struct Signature<C, R, Caller, A...> : Signature<C, R, A...> {
    static constexpr bool wants_caller = true;
};

template <class M>
struct Member;

template <class C, class R, class... A>
struct Member<R (C::*)(A...)> : Signature<C, R, A...> {};

template <class C, class R, class... A>
struct Member<R (C::*)(A...) const> : Signature<C, R, A...> {};

template <auto M>
using Of = Member<decltype(M)>;

template <auto M>
consteval auto output() {
    if constexpr (std::is_void_v<typename Of<M>::Value>) {
        return FixedString("");
    } else {
        return Codec<typename Of<M>::Value>::signature;
    }
}

template <auto M>
inline constexpr auto output_signature = output<M>();
template <auto M>
inline constexpr auto input_signature = Of<M>::input;

/// Names as sd-bus wants them: each ended by NUL, one after the other.
template <FixedString... Names>
consteval auto join() {
    FixedString<(Names.length + ... + 0) + sizeof...(Names) + 1> joined;
    std::size_t position = 0;
    [[maybe_unused]] const auto add = [&](const auto& name) {
        for (std::size_t i = 0; i < name.length; ++i) {
            joined.text[position++] = name.text[i];
        }
        ++position;
    };
    (add(Names), ...);
    return joined;
}

template <FixedString... Names>
inline constexpr auto joined_names = join<Names...>();

template <auto M>
auto invoke(typename Of<M>::Self& self,
            typename Of<M>::Arguments&& arguments,
            sd_bus_message* call) {
    return std::apply(
        [&](auto&&... argument) {
            if constexpr (Of<M>::wants_caller) {
                return (self.*M)(caller_of(call), std::move(argument)...);
            } else {
                return (self.*M)(std::move(argument)...);
            }
        },
        std::move(arguments));
}

/// Keeps object and message alive over the handler's waits, and replies exactly once.
template <auto M, class Object>
Task<void> serve(std::shared_ptr<Object> object, Task<typename Of<M>::Value> work, Reply reply) {
    // Locals die in reverse order: a cancelled handler's frame before the object it works on.
    // Parameters do not in g++ 12.
    [[maybe_unused]] const auto alive = std::move(object);
    auto running = std::move(work);
    std::exception_ptr failure; // a handler of exceptions may not wait: reply after it
    try {
        if constexpr (std::is_void_v<typename Of<M>::Value>) {
            co_await std::move(running);
            reply.send();
        } else {
            auto value = co_await std::move(running);
            reply.send(value);
        }
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        reply.fail(failure);
    }
}

template <auto M, class Self>
void answer(Self& self,
            typename Of<M>::Arguments&& arguments,
            sd_bus_message* call,
            const char* interface = nullptr) {
    Reply reply(Message::share(call), interface);
    try {
        auto alive = self.shared_from_this(); // the handler may remove its own object
        if constexpr (Of<M>::waits) {
            auto work = invoke<M>(self, std::move(arguments), call);
            self.tasks().spawn(serve<M>(std::move(alive), std::move(work), std::move(reply)),
                               sd_bus_message_get_member(call));
        } else if constexpr (std::is_void_v<typename Of<M>::Value>) {
            invoke<M>(self, std::move(arguments), call);
            reply.send();
        } else {
            reply.send(invoke<M>(self, std::move(arguments), call));
        }
    } catch (...) {
        reply.fail(std::current_exception());
    }
}

template <class... A>
std::tuple<A...> arguments_of([[maybe_unused]] sd_bus_message* call, std::tuple<A...>*) {
    return std::tuple<A...>{Codec<A>::read(call)...};
}

/// An exception that left this callback would wedge the connection for good.
template <auto M>
int on_method(sd_bus_message* call, void* self, sd_bus_error* error) noexcept {
    try {
        auto arguments = arguments_of(call, static_cast<typename Of<M>::Arguments*>(nullptr));
        answer<M>(*static_cast<typename Of<M>::Self*>(self), std::move(arguments), call);
        return 1;
    } catch (...) {
        to_bus_error(error, std::current_exception(), sd_bus_message_get_interface(call));
        return sd_bus_error_get_errno(error) > 0 ? -sd_bus_error_get_errno(error) : -EIO;
    }
}

template <auto M>
int on_get(sd_bus*,
           const char*,
           const char* interface,
           const char*,
           sd_bus_message* reply,
           void* self,
           sd_bus_error* error) noexcept {
    if constexpr (Of<M>::waits) {
        return -EBUSY; // read through waiting<M>, never by sd-bus
    } else {
        try {
            append(reply, (static_cast<typename Of<M>::Self*>(self)->*M)());
            return 1;
        } catch (...) {
            to_bus_error(error, std::current_exception(), interface);
            return -EIO;
        }
    }
}

template <auto M>
Task<void> append_later(std::shared_ptr<void> self, sd_bus_message* reply) {
    auto reading = (static_cast<typename Of<M>::Self*>(self.get())->*M)();
    const auto value = co_await std::move(reading);
    append(reply, value);
}

/// Called by the ObjectTree, not by sd-bus: `call` is the whole call, positioned at the value, and
/// is answered here, because a setter may have to wait.
template <auto M>
int on_set(sd_bus*,
           const char*,
           const char* interface,
           const char*,
           sd_bus_message* call,
           void* self,
           sd_bus_error*) noexcept {
    try {
        auto arguments = arguments_of(call, static_cast<typename Of<M>::Arguments*>(nullptr));
        answer<M>(*static_cast<typename Of<M>::Self*>(self), std::move(arguments), call, interface);
    } catch (...) {
        Reply(Message::share(call), interface).fail(std::current_exception());
    }
    return 1;
}

} // namespace detail

constexpr sd_bus_vtable start() {
    sd_bus_vtable entry = SD_BUS_VTABLE_START(SD_BUS_VTABLE_UNPRIVILEGED);
    return entry;
}

constexpr sd_bus_vtable end() {
    sd_bus_vtable entry = SD_BUS_VTABLE_END;
    return entry;
}

/// Names: the arguments', then the result's where there is one. Flags: those of sd_bus_vtable(3),
/// such as SD_BUS_VTABLE_METHOD_NO_REPLY.
template <auto M, FixedString... Names>
constexpr sd_bus_vtable method(const char* name, std::uint64_t flags = 0) {
    constexpr std::size_t results = std::is_void_v<typename detail::Of<M>::Value> ? 0 : 1;
    static_assert(sizeof...(Names) == detail::Of<M>::arity + results,
                  "a method names each argument and its result");
    return sd_bus_vtable{.type = _SD_BUS_VTABLE_METHOD,
                         .flags = flags | SD_BUS_VTABLE_UNPRIVILEGED,
                         .x = {.method = {.member = name,
                                          .signature = detail::input_signature<M>.c_str(),
                                          .result = detail::output_signature<M>.c_str(),
                                          .handler = &detail::on_method<M>,
                                          .offset = 0,
                                          .names = detail::joined_names<Names...>.c_str()}}};
}

/// How clients learn that a property changed.
enum class Changes : std::uint64_t {
    unannounced = 0, // libvirt-dbus's own way
    never = SD_BUS_VTABLE_PROPERTY_CONST,
    emits = SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE,
};

template <auto Get>
constexpr sd_bus_vtable property(const char* name, Changes changes = Changes::unannounced) {
    return sd_bus_vtable{.type = _SD_BUS_VTABLE_PROPERTY,
                         .flags = static_cast<std::uint64_t>(changes),
                         .x = {.property = {.member = name,
                                            .signature = detail::output_signature<Get>.c_str(),
                                            .get = &detail::on_get<Get>,
                                            .set = nullptr,
                                            .offset = 0}}};
}

/// Tells the ObjectTree how a property is read whose getter is a Task.
template <auto Get>
WaitingProperty waiting(const char* name) {
    return WaitingProperty{name, &detail::append_later<Get>};
}

template <auto Get, auto Set>
constexpr sd_bus_vtable writable(const char* name, Changes changes = Changes::unannounced) {
    return sd_bus_vtable{.type = _SD_BUS_VTABLE_WRITABLE_PROPERTY,
                         .flags = static_cast<std::uint64_t>(changes) | SD_BUS_VTABLE_UNPRIVILEGED,
                         .x = {.property = {.member = name,
                                            .signature = detail::output_signature<Get>.c_str(),
                                            .get = &detail::on_get<Get>,
                                            .set = &detail::on_set<Set>,
                                            .offset = 0}}};
}

namespace detail {
template <class... T>
inline constexpr auto signal_signature = (FixedString("") + ... + Codec<T>::signature);
}

template <FixedString... Names>
struct signal { // NOLINT(readability-identifier-naming)

    template <class... T>
    static constexpr sd_bus_vtable of(const char* name) {
        static_assert(sizeof...(Names) == sizeof...(T), "a signal names each argument");
        return sd_bus_vtable{.type = _SD_BUS_VTABLE_SIGNAL,
                             .flags = 0,
                             .x = {.signal = {.member = name,
                                              .signature = detail::signal_signature<T...>.c_str(),
                                              .names = detail::joined_names<Names...>.c_str()}}};
    }
};

} // namespace vireo::bus
