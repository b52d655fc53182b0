/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Step after step: what happens when, and what ends it. */
#include "command.h"
#include "step-network.h"
#include "train-report.h"

#include <stdio.h>
#include <string.h>

#define PAGE_INTERVAL (20 * G_USEC_PER_SEC) /* of index.html; it takes up to a second */

/** Loop: what is not worth keeping when the run is interrupted. */
typedef struct {
    Train *train;
    TrainReport report;
    double losses[STEP_MAX_LOSSES]; /* of the last step */
    guint64 ended;                  /* the epoch that ended with it; 0 for none */
    gint64 paged;                   /* when index.html was written */
    guint64 saved;                  /* the last step that is, or was tried to be */
    gboolean begun;                 /* a step, whose gradients no state holds */
} Loop;

/* ---- a step ---- */

static double learning_factor(const Train *train)
{
    const Settings *settings = &train->settings;
    const Schedule schedule = {settings->lr_policy, settings->epochs, settings->epochs_decay,
                               settings->lr_decay_iters};
    double passed =
        train->state.epoch - 1 + (double)train->state.batch / loader_get_batches(train->loader);

    return schedule_get_factor(&schedule, passed, train->state.plateau.reductions);
}

/* "step 7, of 1.png, 2.png: the loss G_L1 is nan; ..." */
static void explain(const Train *train, const Batch *batch, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);
    g_autofree char *weights = step_describe_weights(train->step);
    g_autofree char *reason = g_strdup((*error)->message);

    for (int i = 0; i < MIN(batch->n, 8); i++)
        g_string_append_printf(names, "%s%s", i ? ", " : "",
                               dataset_get_name(train->data, batch->pairs[i]));
    g_clear_error(error);
    g_set_error(error, STEP_ERROR, STEP_ERROR_NOT_FINITE,
                "step %" G_GUINT64_FORMAT " with %s: %s; %s; what was saved before is as it "
                "was, try a smaller --learning-rate",
                train->state.step + 1, names->str, reason, weights);
}

static gboolean run_part(Loop *loop, StepTurn *turn, GError **error)
{
    Train *train = loop->train;
    TrainState *state = &train->state;
    gint64 start = g_get_monotonic_time();
    const Batch *batch = loader_next(train->loader, error);
    double losses[STEP_MAX_LOSSES] = {0};

    loop->report.waited += g_get_monotonic_time() - start;
    if (!batch)
        return FALSE;
    g_assert(batch->epoch == state->epoch && batch->index == state->batch);
    loop->begun = TRUE;
    if (!train->step->kind->run(train->step, batch, turn, losses, error)) {
        if (g_error_matches(*error, STEP_ERROR, STEP_ERROR_NOT_FINITE))
            explain(train, batch, error);
        return FALSE;
    }
    for (int i = 0; i < train->step->n_losses; i++)
        loop->losses[i] += losses[i] / turn->parts;
    train->epoch = state->epoch;
    if (++state->batch == batch->per_epoch) {
        state->batch = 0;
        loop->ended = state->epoch++;
    }
    return TRUE;
}

static gboolean run_step(Loop *loop, GError **error)
{
    Train *train = loop->train;
    const Settings *settings = &train->settings;
    gint64 start = g_get_monotonic_time();
    double factor = learning_factor(train), rate = settings->learning_rate;
    StepTurn turn = {
        .number = train->state.step + 1,
        .parts = settings->accumulate,
        .learning_rate = rate * factor,
        .learning_rate_d =
            (settings->learning_rate_d > 0 ? settings->learning_rate_d : rate) * factor,
    };

    loop->report.rate = turn.learning_rate;
    loop->ended = 0;
    memset(loop->losses, 0, sizeof(loop->losses));
    for (; turn.part < turn.parts; turn.part++) {
        if (!run_part(loop, &turn, error))
            return FALSE;
    }
    train->state.step++;
    train->state.summed++;
    for (int i = 0; i < train->step->n_losses; i++)
        train->state.sums[i] += loop->losses[i];
    loop->begun = FALSE;
    loop->report.busy += g_get_monotonic_time() - start;
    loop->report.timed++;
    return TRUE;
}

/* ---- what happens when ---- */

static gboolean is_due(const Train *train, gint64 every, gboolean or_else)
{
    return train->state.step == train->steps ||
           (every > 0 ? train->state.step % every == 0 : or_else);
}

static void save_epoch(Train *train, guint64 epoch)
{
    g_autofree char *name = g_strdup_printf("generators/epoch-%04" G_GUINT64_FORMAT, epoch);
    GError *error = NULL;

    if (run_folder_make_folder(train->folder, "generators", &error) &&
        train_save_networks(train, name, FALSE, &error))
        return;
    train_say(train, "%s", error->message);
    g_error_free(error);
}

static void save(Loop *loop)
{
    loop->saved = loop->train->state.step;
    train_save(loop->train);
}

static gboolean epoch_is_due(const Loop *loop, gint64 every)
{
    return loop->ended > 0 && every > 0 && loop->ended % every == 0;
}

/*
 * In this order, so that the state knows of all that was done at its step. Asked again after a run is
 * resumed, for it may have been interrupted in between.
 */
static void look_at_it(Loop *loop)
{
    Train *train = loop->train;
    const Settings *settings = &train->settings;
    gboolean last = train->state.step == train->steps;

    if (train->val && train->state.validated != train->state.step &&
        (last || epoch_is_due(loop, settings->validate_epochs)))
        train_validate(train);
    if (!command_interrupted() && settings->samples > 0 &&
        train->state.sampled != train->state.step &&
        is_due(train, settings->sample_steps, loop->ended > 0))
        train_sample(train);
    if (epoch_is_due(loop, settings->save_epochs))
        save_epoch(train, loop->ended);
}

static void update_page(Loop *loop)
{
    gint64 now = g_get_monotonic_time();

    if (now - loop->paged < PAGE_INTERVAL)
        return;
    train_write_page(loop->train, RUN_PAGE_RUNNING);
    loop->paged = now;
}

/* Returns: FALSE where the run has to end: its weights cannot be saved. */
static gboolean after_step(Loop *loop)
{
    Train *train = loop->train;
    const Settings *settings = &train->settings;

    train_report_problems(&loop->report, train);
    train_report_status(&loop->report, train);
    if (is_due(train, settings->log_steps, FALSE))
        train_report_log(&loop->report, train);
    look_at_it(loop);
    if (is_due(train, settings->save_steps, FALSE) || command_interrupted())
        save(loop);
    update_page(loop);
    return !g_error_matches(train->save_error, PIX_ERROR, PIX_ERROR_BAD_CHECKPOINT);
}

/* ---- from the first step to the last ---- */

static int finish(Train *train)
{
    g_autofree char *model =
        run_folder_file(train->folder, train->val ? "best.safetensors" : "latest.safetensors");
    g_autofree char *shown = command_show(model);

    train_write_page(train, RUN_PAGE_FINISHED);
    if (train->save_error || train->best_failed) { /* the reason has been told */
        train_tell_unsaved(train);
        return COMMAND_FAILED;
    }
    printf(
        "%s is ready; to see it: gst-launch-1.0 v4l2src ! videoconvert ! pix2pixfilter model=%s ! "
        "videoconvert ! autovideosink\n",
        shown, shown);
    return COMMAND_DONE;
}

static int interrupt(Loop *loop)
{
    Train *train = loop->train;
    const char *path = run_folder_get_path(train->folder);

    if (loop->saved != train->state.step) /* the signal came behind the last look for one */
        save(loop);
    train_write_page(train, RUN_PAGE_STOPPED);
    if (train->save_error)
        return COMMAND_FAILED;
    train_say(train,
              "interrupted after step %" G_GUINT64_FORMAT "%s; to go on: pix2pix train --resume %s",
              train->state.step, train->state.step > 0 ? ", which is saved" : "", path);
    return command_interrupted();
}

/* What was learnt is kept, unless the step that failed has begun to change it. */
static int give_up(Loop *loop)
{
    if (!loop->begun && loop->saved != loop->train->state.step)
        save(loop);
    train_write_page(loop->train, RUN_PAGE_STOPPED);
    return COMMAND_FAILED;
}

/* What belongs to the last step of a resumed run and was not done, if there is anything. */
static void catch_up(Loop *loop)
{
    Train *train = loop->train;
    TrainState *state = &train->state;
    guint64 validated = state->validated, sampled = state->sampled;
    gboolean new_epoch = state->batch < (guint64)train->settings.accumulate;

    loop->ended = new_epoch ? state->epoch - 1 : 0;
    train->epoch = state->batch == 0 ? state->epoch - 1 : state->epoch;
    look_at_it(loop);
    if (validated != state->validated || sampled != state->sampled)
        train_save(train);
}

int train_run(Train *train)
{
    const guint64 step = train->state.step;
    Loop loop = {
        .train = train,
        .report = {.start = g_get_monotonic_time(), .first = step},
        .saved = step,
    };
    g_autoptr(GError) error = NULL;

    if (train->state.step > 0)
        catch_up(&loop);
    while (train->state.step < train->steps && !command_interrupted()) {
        gboolean done = run_step(&loop, &error);
        if (error)
            train_say(train, "%s", error->message);
        if (!done || !after_step(&loop))
            return give_up(&loop);
    }
    return command_interrupted() ? interrupt(&loop) : finish(train);
}
