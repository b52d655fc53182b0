/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * The CPU backend's own pool of threads. It never touches the host's OpenMP or OpenBLAS settings.
 */
#ifndef PIX_CPU_THREADS_H
#define PIX_CPU_THREADS_H

/** CpuPool: Thread-safety: any number of threads may call cpu_parallel() at a time. */
typedef struct CpuPool CpuPool;

/**
 * CpuTask: one piece of work. @worker: which thread runs it, below cpu_pool_threads(); no two tasks
 * of one cpu_parallel() run with the same number at a time, so that it can index scratch memory.
 */
typedef void (*CpuTask)(void *data, int task, int worker);

/** cpu_pool_new: @threads: how many run at a time, the calling one included; at least 1. Fewer where the
 * system has no more. */
CpuPool *cpu_pool_new(int threads);
void cpu_pool_free(CpuPool *pool);
int cpu_pool_threads(const CpuPool *pool);

/** cpu_parallel: Runs tasks 0 .. @n_tasks - 1, in any order, and returns when all are done. */
void cpu_parallel(CpuPool *pool, int n_tasks, CpuTask run, void *data);

/** cpu_available: How many processors the calling thread may run on. */
int cpu_available(void);

#endif
