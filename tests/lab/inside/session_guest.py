# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a guest on the session bus and prints as JSON what a user sees of it."""
import json
import os

from guests import Guest

with Guest('own') as guest:
    print(json.dumps({'state': guest.state(), 'owner': os.stat(f'/proc/{guest.process}').st_uid}))
