/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "train-report.h"

#include <string.h>

static void average_losses(const Train *train, double *losses)
{
    for (int i = 0; i < train->step->n_losses; i++)
        losses[i] = train->state.sums[i] / MAX(train->state.summed, 1);
}

static double images_per_s(const TrainReport *report, const Settings *settings)
{
    double images = (double)report->timed * settings->batch_size * settings->accumulate;

    return report->busy > 0 ? images * G_USEC_PER_SEC / report->busy : 0;
}

void train_report_status(const TrainReport *report, Train *train)
{
    const Settings *settings = &train->settings;
    double losses[STEP_MAX_LOSSES];
    guint64 done = train->state.step - report->first;
    double running = (g_get_monotonic_time() - report->start) / (double)G_USEC_PER_SEC;

    average_losses(train, losses);
    RunStatusFigures figures = {
        .epoch = train->epoch,
        .epochs = settings->epochs + settings->epochs_decay,
        .step = train->state.step,
        .steps = train->steps,
        .names = train->step->losses,
        .values = losses,
        .n = train->step->n_losses,
        .images_per_s = images_per_s(report, settings),
        .wait_share = report->busy > 0 ? (double)report->waited / report->busy : 0,
        .seconds_left = running / done * (train->steps - train->state.step),
    };
    run_status_update(&train->status, &figures);
}

void train_report_log(TrainReport *report, Train *train)
{
    const Settings *settings = &train->settings;
    double losses[STEP_MAX_LOSSES];
    GError *error = NULL;

    average_losses(train, losses);
    RunLogTrain record = {
        .step = train->state.step,
        .epoch = train->epoch,
        .images = train->state.step * settings->batch_size * settings->accumulate,
        .names = train->step->losses,
        .losses = losses,
        .n = train->step->n_losses,
        .learning_rate = report->rate,
        .images_per_s = images_per_s(report, settings),
        .step_ms = report->busy / 1000.0 / MAX(report->timed, 1),
        .data_wait_ms = report->waited / 1000.0 / MAX(report->timed, 1),
    };
    if (!run_log_train(train->log, &record, &error) && error)
        train_say(train, "%s", error->message);
    g_clear_error(&error);
    train->state.summed = 0;
    memset(train->state.sums, 0, sizeof(train->state.sums));
    report->busy = report->waited = 0;
    report->timed = 0;
}

void train_report_problems(TrainReport *report, Train *train)
{
    const GPtrArray *problems = loader_get_problems(train->loader);

    for (; report->problems < problems->len; report->problems++) {
        const char *text = problems->pdata[report->problems];
        train_say(train, "replaced by another pair: %s", text);
        run_log_note(train->log, train->state.step, train->epoch, text, NULL);
    }
}
