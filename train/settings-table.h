/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** The rows behind settings.h. Only settings*.c include this. */
#ifndef SETTINGS_TABLE_H
#define SETTINGS_TABLE_H

#include "settings.h"

typedef enum {
    SETTING_BOOL,
    SETTING_INT,    /* gint64 */
    SETTING_NUMBER, /* double */
    SETTING_CHOICE, /* int */
    SETTING_TEXT,   /* char *, NULL where empty */
    SETTING_PATH,   /* the same, made absolute */
    SETTING_SIZE,   /* "256" or "320x240"; nothing is 0 x 0 */
} SettingType;

typedef enum {
    SETTING_GROUP_DATA,
    SETTING_GROUP_NETWORKS,
    SETTING_GROUP_LOSSES,
    SETTING_GROUP_OPTIMISER,
    SETTING_GROUP_WRITTEN,
    SETTING_GROUP_MACHINE,
    SETTING_N_GROUPS,
    SETTING_GROUP_NONE = SETTING_N_GROUPS, /* not an option */
} SettingGroup;

typedef struct {
    const char *name;
    gsize offset; /* into Settings */
    SettingType type;
    SettingGroup group;
    const char *initial; /* the default, as settings_set() takes it */
    double least, most;  /* of numbers, both allowed */
    const char *words;   /* of a choice: "AtoB|BtoA"; else what --help calls the value */
    const char *help;
    gboolean free; /* may change within a run: it computes the same */
} SettingRow;

extern const SettingRow settings_table[];
extern const guint settings_n_rows;

/** settings_find_row: Returns: the row of @name, which may not be there: %NULL. */
const SettingRow *settings_find_row(const char *name);
void *settings_field(const Settings *settings, const SettingRow *row);
char *settings_print_row(const Settings *settings, const SettingRow *row);

#endif
