/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What the opcodes of a pickle work on: the bytes, the stack with its marks, and the memo. Nothing
 * here can read beyond the bytes, pop what is not there, or reach below a mark.
 */
#ifndef PIX_PICKLE_MACHINE_H
#define PIX_PICKLE_MACHINE_H

#include "pickle.h"

typedef struct {
    const guint8 *start, *next, *end;
    PickleMemory *memory;
    const PickleHooks *hooks;
    gpointer user_data;
    PickleItems stack;
    PickleItems marks; /* INT: how high the stack was */
    PickleItems memo;  /* UNSET where nothing was put */
    guint32 n_opcodes, n_memo;
    GError **error;
} PickleMachine;

/** machine_broken: Sets the error, with the position. Returns: a false that the compiler sees, so
 * that it knows which values are set afterwards. */
#define machine_broken(...) (machine_set_broken(__VA_ARGS__), false)
void machine_set_broken(PickleMachine *machine, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** machine_take_bytes: The next @n bytes. */
bool machine_take_bytes(PickleMachine *machine, size_t n, const guint8 **bytes);
/** machine_take_number: A little-endian number of @n bytes, at most 8. */
bool machine_take_number(PickleMachine *machine, size_t n, guint64 *number);

bool machine_push(PickleMachine *machine, PickleValue value);
bool machine_pop(PickleMachine *machine, PickleValue *value);
/** machine_top: What machine_pop() would take. */
bool machine_top(PickleMachine *machine, PickleValue *value);
/** machine_height: How many values lie above the last mark: no opcode may reach below it. */
guint32 machine_height(const PickleMachine *machine);
bool machine_push_mark(PickleMachine *machine);
/** machine_pop_to_mark: Takes the values above the last mark; they stay valid until the next
 * push. */
bool machine_pop_to_mark(PickleMachine *machine, const PickleValue **values, guint32 *n);

/** machine_memo_put: Remembers the value on top of the stack. */
bool machine_memo_put(PickleMachine *machine, guint64 index);
/** machine_memo_get: Pushes what was remembered. */
bool machine_memo_get(PickleMachine *machine, guint64 index);

#endif
