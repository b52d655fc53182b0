/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Pieces of a strict JSON parser for the headers of weight files. There is no general value: each
 * header's parser asks for exactly what its format allows, so depth and size are bounded by it.
 */
#ifndef PIX_JSON_H
#define PIX_JSON_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
    const char *what; /* what is being read, for messages */
    const char *start, *next, *end;
    GString *string; /* the last one taken, decoded; never holds NUL */
    GError **error;
} PixJson;

/** pix_json_init: @text: @size bytes, any. Errors: BAD_CHECKPOINT for what is not UTF-8. */
bool pix_json_init(PixJson *json, const char *what, const char *text, size_t size, GError **error);
void pix_json_clear(PixJson *json);

/** pix_json_fail: Sets the error, BAD_CHECKPOINT with the position. Returns: false. */
bool pix_json_fail(PixJson *json, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** pix_json_peek: The next character that is not white space, not taken; 0 at the end. */
char pix_json_peek(PixJson *json);
/** pix_json_take: Takes the one character @wanted. */
bool pix_json_take(PixJson *json, char wanted);
/** pix_json_separator: After an item: takes a comma (@more becomes true), or @close. */
bool pix_json_separator(PixJson *json, char close, bool *more);
/** pix_json_string: Takes a string, into json->string. */
bool pix_json_string(PixJson *json);
/** pix_json_integers: Takes a list of at most @limit integers, each below 2^48. */
bool pix_json_integers(PixJson *json, guint64 *values, int limit, int *n);
/** pix_json_end: Whether nothing but white space is left. */
bool pix_json_end(PixJson *json);

#endif
