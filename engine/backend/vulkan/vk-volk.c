/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Volk's own source, which Debian ships as a header: the loader is found when it is wanted. */
#define VOLK_IMPLEMENTATION
#include <volk.h>
