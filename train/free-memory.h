/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** How much memory a process may still take. */
#ifndef FREE_MEMORY_H
#define FREE_MEMORY_H

#include <glib.h>

/**
 * free_memory:
 * Returns: bytes that are free or can be freed at once, in the machine and in the control group (as
 * of a container) that this process is in; %G_MAXUINT64 where the system does not say.
 */
guint64 free_memory(void);

#endif
