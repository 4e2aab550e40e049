// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

/// What a plain struct needs to be described in XML; the only XML header that a model's header
/// includes (with enum_names.hpp). The description itself stands in the model's *_xml.cpp.
namespace vireo::xml {

class Type;

/// The line that a struct was read from, 0 where it was not read. A member `xml::Where where;` is
/// filled by the reader, is not written, and makes no difference when structs are compared.
struct Where {
    unsigned line = 0;

    friend constexpr bool operator==(const Where&, const Where&) noexcept { return true; }
};

/// One element kept to the letter, with its tags, its white space and the namespaces it uses.
struct Raw {
    std::string text;
    friend bool operator==(const Raw&, const Raw&) = default;
};

/// What nobody described. A member `xml::Extra extra;` keeps it, and it is written back after what
/// is described. (Attributes in a namespace are not kept: no format here has them.)
struct Extra {
    struct Attribute {
        std::string name;
        std::string value;
        friend bool operator==(const Attribute&, const Attribute&) = default;
    };

    std::vector<Attribute> attributes;
    std::vector<Raw> elements;

    bool empty() const noexcept { return attributes.empty() && elements.empty(); }

    friend bool operator==(const Extra&, const Extra&) = default;
};

/// An optional struct that lives on the heap: for types that contain themselves (backing chains)
/// and for big ones that are mostly absent. Copies are deep.
template <class T>
class Box {
  public:
    Box() noexcept = default;

    Box(T value) : held_(std::make_unique<T>(std::move(value))) {}

    Box(const Box& other) : held_(other ? std::make_unique<T>(*other) : nullptr) {}

    Box(Box&&) noexcept = default;
    ~Box() = default;

    Box& operator=(const Box& other) {
        held_ = other ? std::make_unique<T>(*other) : nullptr;
        return *this;
    }

    Box& operator=(Box&&) noexcept = default;

    explicit operator bool() const noexcept { return held_ != nullptr; }

    bool has_value() const noexcept { return held_ != nullptr; }

    T& operator*() noexcept { return *held_; }

    const T& operator*() const noexcept { return *held_; }

    T* operator->() noexcept { return held_.get(); }

    const T* operator->() const noexcept { return held_.get(); }

    T& emplace() {
        held_ = std::make_unique<T>();
        return *held_;
    }

    void reset() noexcept { held_.reset(); }

    friend bool operator==(const Box& a, const Box& b) {
        return a.held_ && b.held_ ? *a.held_ == *b.held_ : a.held_ == b.held_;
    }

  private:
    std::unique_ptr<T> held_;
};

} // namespace vireo::xml
