/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What config.json, log.jsonl and the states in the folder of a run say of it as a whole. */
#ifndef RUN_FACTS_H
#define RUN_FACTS_H

#include <glib.h>
#include <json-glib/json-glib.h>

typedef struct {
    char *name;         /* of the folder, as UTF-8 */
    JsonObject *config; /* empty where there is none */
    GPtrArray *records; /* of JsonObject: see run_log_read(); empty where there is no log */
    gint64 step, epoch; /* that the run has reached, as the log and the names of states say */
    gint64 epochs;      /* that it is to reach; 0 where that is not known */
} RunFacts;

/** run_facts_init: Never fails: what is missing or broken counts as not there. */
void run_facts_init(RunFacts *facts, const char *run_folder);
void run_facts_clear(RunFacts *facts);

/** run_facts_get_setting: Returns: (transfer full) (nullable): a plain value of config.json. */
char *run_facts_get_setting(const RunFacts *facts, const char *name);

#endif
