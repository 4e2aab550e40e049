// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/schema.hpp"

namespace vireo::qemu {

using nlohmann::json;

SchemaView::SchemaView(const json& schema) {
    for (const json& entry : schema) {
        entities_.emplace(entry.at("name").get_ref<const std::string&>(), &entry);
    }
}

const json* SchemaView::entity(std::string_view name) const {
    const auto found = entities_.find(name);
    return found == entities_.end() ? nullptr : found->second;
}

const json* SchemaView::member(const json& object, std::string_view step) const {
    const bool variant = step.starts_with('+');
    const auto list = object.find(variant ? "variants" : "members");
    if (list == object.end()) {
        return nullptr;
    }
    for (const json& item : *list) {
        const auto& name = item.value(variant ? "case" : "name", std::string());
        if (name == (variant ? step.substr(1) : step)) {
            return entity(item.at("type").get_ref<const std::string&>());
        }
    }
    return nullptr;
}

StringSet SchemaView::commands() const {
    StringSet names;
    for (const auto& [name, entry] : entities_) {
        if (entry->value("meta-type", "") == "command") {
            names.emplace(name);
        }
    }
    return names;
}

StringSet SchemaView::enum_values(std::string_view command,
                                  const std::vector<std::string_view>& path,
                                  bool from_return) const {
    const json* at = entity(command);
    if (!at || at->value("meta-type", "") != "command") {
        return {};
    }
    at = entity(at->at(from_return ? "ret-type" : "arg-type").get_ref<const std::string&>());
    for (const std::string_view step : path) {
        if (!at) {
            return {};
        }
        at = member(*at, step);
    }
    StringSet values;
    if (at && at->value("meta-type", "") == "enum") {
        for (const json& value : at->at("values")) {
            values.insert(value.get<std::string>());
        }
    }
    return values;
}

} // namespace vireo::qemu
