#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints "PASSED FAILED" for the last `meson test`, counted as the tests themselves count.

Usage: count.py MESON_LOGS"""
import glob
import json
import os
import re
import sys


def count(test):
    out = test.get('stdout') or ''
    bad = test['result'] not in ('OK', 'EXPECTEDFAIL', 'SKIP')
    good = len(re.findall(r'^ok \d+(?!.*# SKIP)', out, re.M))
    ill = len(re.findall(r'^not ok \d+(?!.*# SKIP)', out, re.M))
    for checks, failures, errors in re.findall(
            r'Checks: (\d+), Failures: (\d+), Errors: (\d+)', out + (test.get('stderr') or '')):
        good += int(checks) - int(failures) - int(errors)
        ill += int(failures) + int(errors)
    if bad:
        return good, max(ill, 1)
    return max(good, 0 if test['result'] == 'SKIP' else 1), ill


def main(logs):
    passed = failed = 0
    # With --wrap the file has another name.
    newest = max(glob.glob(logs + '/testlog*.json'), key=os.path.getmtime)
    with open(newest, encoding='utf-8', errors='replace') as lines:
        for line in lines:
            good, ill = count(json.loads(line))
            passed += good
            failed += ill
    print(passed, failed)


main(sys.argv[1])
