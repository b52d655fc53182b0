/* SPDX-License-Identifier: LGPL-2.1-or-later */

/** What one sees of a run from step to step. */
#ifndef TRAIN_REPORT_H
#define TRAIN_REPORT_H

#include "train.h"

/** TrainReport: times in microseconds. */
typedef struct {
    gint64 start;        /* of this process's first step */
    guint64 first;       /* step that it began behind */
    double rate;         /* learning rate of the last step */
    gint64 busy, waited; /* since the last line of the log; waiting for data is part of it */
    guint64 timed;       /* steps since then */
    guint problems;      /* of the loader that were told */
} TrainReport;

/** train_report_status: The status line of the last step. */
void train_report_status(const TrainReport *report, Train *train);
/** train_report_log: A line of the log about the steps since the one before. */
void train_report_log(TrainReport *report, Train *train);
/** train_report_problems: Pairs that broke since the data set was checked. */
void train_report_problems(TrainReport *report, Train *train);

#endif
