# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes of a text the lines of a string in C.
s/[\\"]/\\&/g
s/^/"/
s/$/\\n"/
