# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs scenarios, one line for each; and what they share about the machine that they run on."""
import json
import os
import select
import signal
import subprocess
import time
import traceback
from pathlib import Path

PLAN = json.loads(Path('/lab/plan.json').read_text())
LIMIT_S = 240  # of one scenario
DRIVERS = ('vireo-qemud', 'vireo-nodedevd', 'vireo-storaged')
scenarios = []


def scenario(function):
    """Its docstring's first line is its name."""
    scenarios.append(function)
    return function


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True)
    assert not check or done.returncode == 0, f'{command}: exit status {done.returncode}: {done.stderr}{done.stdout}'
    return done.stdout


def show(unit, name):
    """A property of a unit."""
    return run('systemctl', 'show', '--value', '-p', name, unit).strip()


def main_pid(unit):
    return int(show(unit, 'MainPID'))


def kill_daemon(unit):
    """SIGKILL, and gone when this returns."""
    end_process(main_pid(unit))


def end_process(pid):
    handle = os.pidfd_open(pid)
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    wait_ended(handle)


def wait_ended(handle, limit_s=60):
    """Waits for the end of the process of a pidfd."""
    assert select.select([handle], [], [], limit_s)[0], 'the process does not end'
    os.close(handle)


def journal(since):
    """What the daemons and the kernel said."""
    lines = run('journalctl', '-b', '-o', 'short-monotonic', f'--since=@{int(since)}', '--no-pager', check=False)
    return '\n'.join(lines.splitlines()[-60:])


def stuck():
    """The processes that wait in the kernel, and where."""
    lines = []
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            if (folder / 'stat').read_text().rpartition(')')[2].split()[0] == 'D':
                lines += [f'{folder.name} {(folder / "comm").read_text().strip()}', (folder / 'stack').read_text()]
        except OSError:  # it has ended
            pass
    return '\n'.join(lines)


def run_one(function):
    name = function.__doc__.splitlines()[0].rstrip('.')
    begun, clock = time.time(), time.monotonic()

    def too_long(*_):
        raise AssertionError(f'not at its end after {LIMIT_S} s')
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIMIT_S)
    problem, remark, waiting = None, None, ''
    try:
        remark = function()
    except Exception:  # whatever it is, the others run
        problem, waiting = traceback.format_exc(), stuck()
    finally:
        signal.alarm(0)
    words = f' ({remark})' if remark else ''
    print(f'{"FAILED" if problem else "ok    "} {time.monotonic() - clock:6.1f} s  {name}{words}')
    if problem:
        print(f'{problem}\n== the journal\n{journal(begun)}\n== stuck in the kernel\n{waiting}\n==')
    return problem is None


def main():
    chosen = [s for s in scenarios if not PLAN['only'] or any(word in s.__name__ for word in PLAN['only'])]
    uptime = Path('/proc/uptime').read_text().split()[0]
    print(f'{uptime} s after its start the machine runs {len(chosen)} scenarios')
    results = [run_one(s) for s in chosen]
    print(f'lab: {results.count(True)} passed, {results.count(False)} failed')
