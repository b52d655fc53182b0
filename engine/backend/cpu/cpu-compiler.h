/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What the files that are compiled for one level tell the compiler. */
#ifndef PIX_CPU_COMPILER_H
#define PIX_CPU_COMPILER_H

/** UNROLL: Before a loop. Without it sums are not held in registers. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/** INLINE: With constants for some of the parameters, each of which makes another function. */
#define INLINE static inline __attribute__((always_inline))

#endif
