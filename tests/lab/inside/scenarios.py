# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lab's scenarios, in the order in which they run."""
import harness

harness.run('systemd-sysusers')
harness.run('systemd-tmpfiles', '--create')
harness.run('systemctl', 'daemon-reload')
harness.run('udevadm', 'control', '--reload')
harness.run('busctl', 'call', 'org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'ReloadConfig')
harness.run('systemctl', 'start', *(f'{driver}.socket' for driver in harness.DRIVERS))

import units  # noqa: E402, F401
import users  # noqa: E402, F401
import node_devices  # noqa: E402, F401
import host_memory  # noqa: E402, F401
import nvme_guests  # noqa: E402, F401
import nvme_jobs  # noqa: E402, F401

harness.main()
