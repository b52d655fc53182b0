/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** How much memory a measurement may take. */
#ifndef PIX_CPU_PEAK_MEMORY_H
#define PIX_CPU_PEAK_MEMORY_H

#include <glib.h>

/**
 * cpu_spare_bytes:
 * Returns: a quarter of what is free: of the machine's memory, and of what is left to the process's
 * control group and to those around it, which end what takes more. @root: what the system's files are
 * found below: "", but for tests.
 * Source: Linux, Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
 */
guint64 cpu_spare_bytes(const char *root);

#endif
