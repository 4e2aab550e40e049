// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/problem.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>
#include <bit>
#include <set>

namespace vireo::qemu {

namespace {

bool has_audio(const DomainDef& def, const std::optional<uint32_t>& id) {
    return id.value_or(0) == 0 ||
           std::ranges::any_of(def.devices.audios, [&](const AudioDef& a) { return a.id == *id; });
}

void check_video(const DomainDef& def, const VideoDef& video) {
    const xml::Where where = video.info.where;
    if (!video.model) {
        return;
    }
    const VideoModel model = *video.model;
    if (model == VideoModel::none && def.devices.videos.size() > 1) {
        refuse(where,
               "video",
               "model 'none' says that there is no display adapter; remove the others");
    }
    if (video.backend == VideoBackend::vhostuser && model != VideoModel::virtio) {
        refuse(where, "driver", "name='vhostuser' needs model 'virtio', not '{}'", name_of(model));
    }
    if (video.backend != VideoBackend::vhostuser && video.acceleration &&
        video.acceleration->rendernode) {
        refuse(where, "acceleration", "rendernode= needs <driver name='vhostuser'/>");
    }
    if (video.resolution && (video.resolution->x == 0 || video.resolution->y == 0)) {
        refuse(where, "resolution", "x and y are numbers of pixels from 1 on");
    }
    if (model != VideoModel::qxl && (video.ram_kib || video.vram64_kib || video.vgamem_kib)) {
        refuse(where,
               "model",
               "{} is for type='qxl', not '{}'",
               video.ram_kib      ? "ram="
               : video.vram64_kib ? "vram64="
                                  : "vgamem=",
               name_of(model));
    }
    if (model == VideoModel::ramfb && !std::holds_alternative<std::monostate>(video.info.address)) {
        refuse(where, "address", "type='ramfb' is memory of the guest and has no address");
    }
    const VirtioOptions& v = video.virtio;
    if (model != VideoModel::virtio && (v.iommu || v.ats || v.packed || v.page_per_vq)) {
        refuse(where, "driver", "iommu=, ats=, packed= and page_per_vq= are for type='virtio'");
    }
}

void check_listens(const GraphicsDef& graphics) {
    for (const GraphicsListen& listen : graphics.listens) {
        const ListenType type = listen.type();
        const GraphicsType shown = graphics.type();
        if ((type == ListenType::socket || type == ListenType::none) &&
            shown != GraphicsType::vnc && shown != GraphicsType::spice) {
            refuse(graphics.where, "listen", "type='{}' is for VNC and SPICE", name_of(type));
        }
    }
}

void check_qemu_video(const VideoDef& video) {
    const xml::Where where = video.info.where;
    switch (*video.model) {
    case VideoModel::xen:
    case VideoModel::vbox:
    case VideoModel::parallels:
    case VideoModel::gop:
        refuse(where, "model", "type='{}' is not one of QEMU's", name_of(*video.model));
    case VideoModel::vga:
    case VideoModel::cirrus:
    case VideoModel::vmvga:
    case VideoModel::bochs:
    case VideoModel::ramfb:
        if (video.primary != YesNo::yes) {
            refuse(
                where,
                "model",
                "type='{}' can only be the first display adapter; 'qxl' and 'virtio' can be others",
                name_of(*video.model));
        }
        break;
    default:
        break;
    }
    constexpr uint64_t most_kib = 4194303; // 4 GiB
    if (video.model == VideoModel::qxl) {
        if (video.vram_kib.value_or(0) > most_kib || video.ram_kib.value_or(0) > most_kib) {
            refuse(where, "model", "vram= and ram= are below 4 GiB");
        }
        constexpr uint64_t mib_kib = 1024;
        if (video.vgamem_kib &&
            (*video.vgamem_kib < mib_kib || !std::has_single_bit(*video.vgamem_kib))) {
            refuse(where,
                   "model",
                   "vgamem='{}' is not a power of two from {} KiB on",
                   *video.vgamem_kib,
                   mib_kib);
        }
    }
    if ((video.model == VideoModel::vga || video.model == VideoModel::vmvga) &&
        video.vram_kib.value_or(1024) < 1024) {
        refuse(where, "model", "vram='{}' is below 1024 KiB", *video.vram_kib);
    }
    const bool heads = video.model == VideoModel::qxl || video.model == VideoModel::virtio;
    if (!heads && video.heads.value_or(1) > 1) {
        refuse(where,
               "model",
               "heads='{}': type='{}' has one; 'virtio' and 'qxl' can have more",
               *video.heads,
               name_of(*video.model));
    }
    const bool modes = heads || video.model == VideoModel::vga || video.model == VideoModel::bochs;
    if (video.resolution && !modes) {
        refuse(where, "resolution", "it cannot be set for type='{}'", name_of(*video.model));
    }
    if (video.acceleration && video.acceleration->accel2d == YesNo::yes) {
        refuse(where, "acceleration", "accel2d='yes': QEMU accelerates 3D alone");
    }
    if (video.model != VideoModel::virtio && video.blob) {
        refuse(where, "model", "blob= is for type='virtio'");
    }
    if (video.model != VideoModel::virtio && video.acceleration &&
        video.acceleration->accel3d == YesNo::yes) {
        refuse(where,
               "acceleration",
               "accel3d='yes' needs type='virtio', not '{}'",
               name_of(*video.model));
    }
}

void check_qemu_graphics(const GraphicsDef& graphics) {
    if (graphics.type() == GraphicsType::rdp || graphics.type() == GraphicsType::desktop) {
        refuse(graphics.where,
               "graphics",
               "type='{}' is not one of QEMU's; 'vnc' and 'spice' reach over the network",
               name_of(graphics.type()));
    }
    if (const auto* dbus = std::get_if<DbusGraphics>(&graphics.kind);
        dbus != nullptr && dbus->p2p == YesNo::yes && dbus->address) {
        refuse(graphics.where, "graphics", "p2p='yes' uses no bus; remove address=");
    }
    const auto* spice = std::get_if<SpiceGraphics>(&graphics.kind);
    if (spice != nullptr && spice->gl_enable != YesNo::yes && spice->rendernode) {
        refuse(graphics.where, "gl", "rendernode= needs enable='yes'");
    }
    const auto* vnc = std::get_if<VncGraphics>(&graphics.kind);
    constexpr std::size_t longest = 8; // what the protocol's challenge uses
    if (vnc != nullptr && vnc->password.password && vnc->password.password->size() > longest) {
        refuse(graphics.where,
               "graphics",
               "passwd= has more than {} characters, all that VNC uses",
               longest);
    }
}

bool renders(const GraphicsDef& graphics) {
    const auto* spice = std::get_if<SpiceGraphics>(&graphics.kind);
    const auto* sdl = std::get_if<SdlGraphics>(&graphics.kind);
    const auto* dbus = std::get_if<DbusGraphics>(&graphics.kind);
    return (spice != nullptr && spice->gl_enable == YesNo::yes) ||
           (sdl != nullptr && sdl->gl_enable == YesNo::yes) ||
           (dbus != nullptr && dbus->gl_enable == YesNo::yes);
}

/// One of each kind, and one that renders with OpenGL.
void check_screens(const std::vector<GraphicsDef>& list) {
    std::set<GraphicsType> seen;
    const GraphicsDef* renderer = nullptr;
    const bool headless = std::ranges::any_of(
        list, [](const GraphicsDef& g) { return g.type() == GraphicsType::egl_headless; });
    for (const GraphicsDef& graphics : list) {
        const GraphicsType type = graphics.type();
        if (headless && type != GraphicsType::egl_headless && type != GraphicsType::vnc &&
            type != GraphicsType::spice) {
            refuse(graphics.where,
                   "graphics",
                   "type='egl-headless' renders for 'vnc' and 'spice', not for '{}'",
                   name_of(type));
        }
        if (!seen.insert(graphics.type()).second) {
            refuse(
                graphics.where, "graphics", "there are two of type='{}'", name_of(graphics.type()));
        }
        if (renders(graphics) || graphics.type() == GraphicsType::egl_headless) {
            if (renderer != nullptr) {
                refuse(graphics.where,
                       "graphics",
                       "type='{}' and '{}' both render with OpenGL; one can",
                       name_of(graphics.type()),
                       name_of(renderer->type()));
            }
            renderer = &graphics;
        }
    }
}

} // namespace

void validate_displays(const DomainDef& def) {
    const Devices& devices = def.devices;
    for (std::size_t i = 0; i < devices.videos.size(); ++i) {
        check_video(def, devices.videos[i]);
        if (i > 0 && devices.videos[i].primary == YesNo::yes) {
            refuse(
                devices.videos[i].info.where, "model", "two have primary='yes'; the first is one");
        }
    }
    for (const GraphicsDef& graphics : devices.graphics) {
        check_listens(graphics);
        const auto* vnc = std::get_if<VncGraphics>(&graphics.kind);
        const auto* dbus = std::get_if<DbusGraphics>(&graphics.kind);
        const auto id = vnc != nullptr    ? vnc->audio_id
                        : dbus != nullptr ? dbus->audio_id
                                          : std::nullopt;
        if (!has_audio(def, id)) {
            refuse(graphics.where, "audio", "there is no <audio id='{}'>", *id);
        }
    }
    std::set<uint32_t> audios;
    for (const AudioDef& audio : devices.audios) {
        if (!audios.insert(audio.id).second) {
            refuse(audio.where, "audio", "id='{}' is used twice", audio.id);
        }
    }
    for (const SoundDef& sound : devices.sounds) {
        if (!has_audio(def, sound.audio_id)) {
            refuse(sound.info.where, "audio", "there is no <audio id='{}'>", *sound.audio_id);
        }
    }
}

void validate_qemu_displays(const DomainDef& def) {
    const Devices& devices = def.devices;
    for (const VideoDef& video : devices.videos) {
        check_qemu_video(video);
    }
    for (const GraphicsDef& graphics : devices.graphics) {
        check_qemu_graphics(graphics);
    }
    check_screens(devices.graphics);
    const bool spice = std::ranges::any_of(
        devices.graphics, [](const GraphicsDef& g) { return g.type() == GraphicsType::spice; });
    for (const AudioDef& audio : devices.audios) {
        if (audio.type == AudioType::spice && !spice) {
            refuse(audio.where, "audio", "type='spice' needs a <graphics type='spice'>");
        }
    }
    for (const GraphicsDef& graphics : devices.graphics) {
        const auto* dbus = std::get_if<DbusGraphics>(&graphics.kind);
        const uint32_t id = dbus != nullptr ? dbus->audio_id.value_or(0) : 0;
        const bool other = id != 0 && std::ranges::any_of(devices.audios, [&](const AudioDef& a) {
                               return a.id == id && a.type != AudioType::dbus;
                           });
        if (other) {
            refuse(graphics.where, "audio", "id='{}': type='dbus' needs an audio of 'dbus'", id);
        }
    }
    for (const SoundDef& sound : devices.sounds) {
        if (!sound.codecs.empty() && sound.model != SoundModel::ich6 &&
            sound.model != SoundModel::ich9) {
            refuse(sound.info.where, "codec", "it is for model 'ich6' and 'ich9'");
        }
    }
}

} // namespace vireo::qemu
