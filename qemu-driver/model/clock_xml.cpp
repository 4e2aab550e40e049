// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/clock_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const TimerCatchup*) {
    static const xml::Type type =
        xml::element<TimerCatchup>("catchup",
                                   xml::attr("threshold", &TimerCatchup::threshold),
                                   xml::attr("slew", &TimerCatchup::slew),
                                   xml::attr("limit", &TimerCatchup::limit));
    return type;
}

static const xml::Type& describe(const TimerDef*) {
    static const xml::Type type =
        xml::element<TimerDef>("timer",
                               xml::attr("name", &TimerDef::name),
                               xml::attr("present", &TimerDef::present),
                               xml::attr("tickpolicy", &TimerDef::tick_policy),
                               xml::attr("track", &TimerDef::track),
                               xml::attr("frequency", &TimerDef::frequency_hz),
                               xml::attr("mode", &TimerDef::mode),
                               xml::child(&TimerDef::catchup));
    return type;
}

const xml::Type& describe(const ClockDef*) {
    static const xml::Type type =
        xml::element<ClockDef>("clock",
                               xml::attr("offset", &ClockDef::offset).optional(),
                               xml::attr("adjustment", &ClockDef::adjustment),
                               xml::attr("basis", &ClockDef::basis),
                               xml::attr("timezone", &ClockDef::timezone),
                               xml::attr("start", &ClockDef::start),
                               xml::child(&ClockDef::timers));
    return type;
}

} // namespace vireo::qemu
