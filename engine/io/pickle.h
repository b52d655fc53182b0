/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Reads Python pickles as data. Nothing is imported, called or constructed: a global is a number
 * that the caller knows, or an opaque value that swallows whatever is done to it. Every operand's
 * type is checked and everything is bounded, so that no input can do more than waste a second and
 * some memory.
 * Source: CPython's Lib/pickletools.py (the opcodes); torch/_weights_only_unpickler.py (which of
 * them weights need).
 */
#ifndef PIX_PICKLE_H
#define PIX_PICKLE_H

#include <glib.h>
#include <stdbool.h>

#define PICKLE_MAX_BYTES (16 * 1024 * 1024)  /* of one pickle */
#define PICKLE_MAX_MEMORY (48 * 1024 * 1024) /* for everything that is made of it */
#define PICKLE_MAX_OPCODES 4000000
#define PICKLE_MAX_ITEMS 1000000 /* in a list or dict, and on the stack */
#define PICKLE_MAX_STRING 65536  /* longer ones become opaque: arrays are stored as text */
#define PICKLE_MAX_DEPTH 64      /* of dicts and lists, for who walks through them */

typedef enum {
    PICKLE_UNSET,
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT,
    PICKLE_FLOAT,
    PICKLE_STRING, /* any bytes; not terminated */
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT,   /* items: key, value, key, value, ..., as they came */
    PICKLE_GLOBAL, /* number: what PickleHooks.global said */
    PICKLE_OPAQUE, /* text: what it is, for messages */
    PICKLE_OBJECT, /* made by the hooks; number: its kind */
} PickleType;

typedef struct PickleItems PickleItems;

typedef struct {
    PickleType type;
    guint32 number; /* bytes of text; otherwise see PickleType */
    union {
        gint64 integer; /* BOOL, INT */
        double real;
        const char *text;   /* STRING, OPAQUE */
        PickleItems *items; /* TUPLE, LIST, DICT */
        void *object;
    };
} PickleValue;

struct PickleItems {
    guint32 n, capacity;
    PickleValue *values;
};

/** PickleMemory: where all values live; freed at once. */
typedef struct {
    GPtrArray *blocks;
    char *next;
    size_t left, total;
} PickleMemory;

void pickle_memory_init(PickleMemory *memory);
void pickle_memory_clear(PickleMemory *memory);
/** pickle_alloc: Zeroed memory. Errors: BAD_CHECKPOINT beyond PICKLE_MAX_MEMORY, NO_MEMORY. */
void *pickle_alloc(PickleMemory *memory, size_t bytes, GError **error);
bool pickle_append(PickleMemory *memory, PickleItems *items, PickleValue value, GError **error);
/** pickle_new_items: @type: TUPLE, LIST or DICT, empty. */
bool pickle_new_items(PickleMemory *memory, PickleType type, PickleValue *value, GError **error);
PickleValue pickle_opaque(const char *text, size_t length);
/** pickle_describe: In words, "a number" or "a numpy.ndarray", for g_free(). */
char *pickle_describe(const PickleValue *value);
/** pickle_string_is: Whether @value is the string @text. */
bool pickle_string_is(const PickleValue *value, const char *text);

/** PickleHooks: what the pickles of one program mean. Only values that they make can differ from
 * plain data. */
typedef struct {
    /* @name: "module\nname". Returns: its number, or -1 if it is not known. */
    int (*global)(const char *name, size_t length);
    /* What @global makes of @args. */
    bool (*reduce)(gpointer user_data, guint32 global, const PickleItems *args, PickleValue *result,
                   GError **error);
    /* What the persistent id @id stands for. */
    bool (*persistent)(gpointer user_data, const PickleValue *id, PickleValue *result,
                       GError **error);
} PickleHooks;

/**
 * pickle_run:
 * @data: must outlive the values, whose text lies in it.  @used: (out): bytes up to the pickle's
 * end. Errors: BAD_CHECKPOINT, with the position; UNSUPPORTED for other protocols than 2 to 5; those of
 * the hooks.
 */
bool pickle_run(const guint8 *data, size_t size, PickleMemory *memory, const PickleHooks *hooks,
                gpointer user_data, size_t *used, PickleValue *result, GError **error);

#endif
