/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The pools of the process: devices that would have the same threads share them. */
#ifndef PIX_CPU_POOLS_H
#define PIX_CPU_POOLS_H

#include "cpu-threads.h"

/**
 * cpu_pools_get:
 * As cpu_pool_new(), or the one that somebody else has with as many threads, of this process and on
 * the processors that the calling thread may run on.  Returns: (transfer full): for
 * cpu_pools_release().
 */
CpuPool *cpu_pools_get(int threads);
void cpu_pools_release(CpuPool *pool);

#endif
