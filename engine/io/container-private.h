/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * What container.c and the formats behind it share. Formats write messages without the file's name:
 * container.c puts it in front.
 */
#ifndef PIX_CONTAINER_PRIVATE_H
#define PIX_CONTAINER_PRIVATE_H

#include "container.h"
#include "reader.h"

#define PIX_MAX_TENSORS 65536
#define PIX_MAX_NAME 256 /* bytes of a tensor's name */
#define PIX_MAX_OTHERS 16384
#define PIX_MAX_STRINGS (8 * 1024 * 1024) /* bytes of all names that pix_container_keep() copies */

/** PixFormat: one file format. */
typedef struct {
    const char *name;
    /* Reads and checks the directory: calls pix_container_add() and sets container->state, which
     * close() is given even where open() fails. */
    bool (*open)(PixContainer *container, GError **error);
    /* Gives the elements of entry number @index, little-endian, row-major. */
    bool (*read)(PixContainer *container, guint index, void *elements, GError **error);
    void (*close)(gpointer state); /* accepts NULL */
} PixFormat;

struct PixContainer {
    PixReader reader;
    char *label;
    const PixFormat *format;
    GArray *entries;      /* PixEntry; must not grow once the container is open */
    GHashTable *places;   /* PixEntry with group and name -> index + 1 */
    GArray *others;       /* PixOther */
    GHashTable *metadata; /* string to string */
    GStringChunk *strings;
    size_t kept_bytes; /* of strings, by pix_container_keep() */
    gpointer state;
};

extern const PixFormat pix_format_safetensors, pix_format_pth_zip, pix_format_pth_legacy,
    pix_format_pict;

/** pix_broken: As pix_fail(), BAD_CHECKPOINT, where a file's contents make no sense. */
#define pix_broken(error, format, ...)                                                             \
    pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "is broken: " format "; get the file again",         \
             ##__VA_ARGS__)

/** pix_container_add: Adds a copy of @entry; its strings must be the container's. Errors:
 * BAD_CHECKPOINT where the name is there already or there are too many. */
bool pix_container_add(PixContainer *container, const PixEntry *entry, GError **error);

/** pix_container_keep: Returns: (nullable): a copy of @text that lives as long as the container; NULL
 * where its names would take more than PIX_MAX_STRINGS. */
const char *pix_container_keep(PixContainer *container, const char *text);

/** pix_container_wants_other: Whether another PixOther is to be kept. They get a part of the memory
 * for names, so that there is always some for those of tensors. */
bool pix_container_wants_other(const PixContainer *container);

/** pix_container_add_other: @group, @name: the container's.  @what: will be copied. */
void pix_container_add_other(PixContainer *container, const char *group, const char *name,
                             const char *what);

/** pix_name_is_good: Whether @text can name a tensor: UTF-8, not too long, no control characters
 * (so that a message with it is one line). */
bool pix_name_is_good(const char *text, size_t length);

/** pix_printable: A copy of @text fit for a message, whatever its bytes; for g_free(). */
char *pix_printable(const char *text, size_t length);

/** pix_sniff: Returns: the format of @reader, by content. Errors: UNSUPPORTED for what is known and
 * not read here, BAD_CHECKPOINT for the rest and for files that are two things at once. */
const PixFormat *pix_sniff(const PixReader *reader, GError **error);

#endif
