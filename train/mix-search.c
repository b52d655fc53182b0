/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "mix-search.h"

#include <math.h>
#include <string.h>

#define LEAST_SAVING 0.03 /* of a layer's time: less is noise */
#define LEAST_ERROR 1e-15 /* what adds none is worth most, and more the more time it saves */
#define MAX_TRIALS 12
#define CLOSE_ENOUGH 1.05 /* two budgets between which nothing is looked for */

const PixPrecision mix_choices[MIX_CHOICES] = {PIX_PRECISION_FP32, PIX_PRECISION_BF16,
                                               PIX_PRECISION_INT8};

/* Index into mix_choices. */
static int choice_of(PixPrecision precision)
{
    int choice = 0;

    while (mix_choices[choice] != precision)
        choice++;
    return choice;
}

double mix_get_ms(const MixLayer *layers, guint n, const PixPrecision *mix)
{
    double ms = 0;

    for (guint i = 0; i < n; i++)
        ms += layers[i].ms[choice_of(mix[i])];
    return ms;
}

/* ---- for a budget ---- */

typedef struct {
    guint layer;
    int choice;
    double value; /* time for error; 0: there is no such step */
} Step;

static double step_value(const MixLayer *layer, int from, int to, double budget)
{
    double saved = layer->ms[from] - layer->ms[to];
    double error = layer->error[to] - layer->error[from];

    if (saved < LEAST_SAVING * layer->ms[0] || !(error <= budget))
        return 0;
    return saved / MAX(error, LEAST_ERROR);
}

static Step find_step(const MixLayer *layers, guint n, const PixPrecision *mix, double budget)
{
    Step best = {0};

    for (guint i = 0; i < n; i++) {
        for (int to = 0; to < MIX_CHOICES; to++) {
            double value = step_value(&layers[i], choice_of(mix[i]), to, budget);
            if (value > best.value)
                best = (Step){i, to, value};
        }
    }
    return best;
}

void mix_choose(const MixLayer *layers, guint n, double budget, PixPrecision *mix)
{
    for (guint i = 0; i < n; i++)
        mix[i] = PIX_PRECISION_FP32;
    for (;;) {
        Step step = find_step(layers, n, mix, budget);
        const double *error = layers[step.layer].error;
        if (step.value == 0)
            return;
        budget -= error[step.choice] - error[choice_of(mix[step.layer])];
        mix[step.layer] = mix_choices[step.choice];
    }
}

/* ---- the budget that holds ---- */

/* The least budget for @mix. */
static double sum_errors(const MixLayer *layers, guint n, const PixPrecision *mix)
{
    double error = 0;

    for (guint i = 0; i < n; i++)
        error += layers[i].error[choice_of(mix[i])];
    return error;
}

typedef struct {
    double holds, fails; /* budgets: one that did, the least for a mix that did not */
    double budget;       /* to be tried next */
} Bracket;

/* Where one side is unknown yet, as far as the last trial's error was off. */
static void choose_next(Bracket *bracket, double bound, double worst)
{
    if (isinf(bracket->fails))
        bracket->budget *= CLAMP(bound / worst, 1.2, 100);
    else if (bracket->holds == 0)
        bracket->budget *= CLAMP(0.9 * bound / worst, 0.01, 0.8);
    else
        bracket->budget = sqrt(bracket->holds * bracket->fails);
}

/* Whether a larger budget would be of use. */
static gboolean can_grow(const MixLayer *layers, guint n, const PixPrecision *mix)
{
    g_autofree PixPrecision *fastest = g_new(PixPrecision, n);

    mix_choose(layers, n, G_MAXDOUBLE, fastest);
    return mix_get_ms(layers, n, fastest) < mix_get_ms(layers, n, mix);
}

gboolean mix_search(const MixLayer *layers, guint n, double bound, MixTry *try, gpointer data,
                    PixPrecision *mix, double *worst, GError **error)
{
    g_autofree PixPrecision *tried = g_new(PixPrecision, n);
    Bracket bracket = {.fails = INFINITY, .budget = bound};

    for (guint i = 0; i < n; i++)
        mix[i] = PIX_PRECISION_FP32;
    *worst = 0;
    for (int trial = 0; trial < MAX_TRIALS && bracket.fails > CLOSE_ENOUGH * bracket.holds;
         trial++) {
        double found = bound;
        mix_choose(layers, n, bracket.budget, tried);
        gboolean faster = mix_get_ms(layers, n, tried) < mix_get_ms(layers, n, mix);
        if (faster && !try(data, tried, bound, &found, error))
            return FALSE;
        if (faster && found < bound) {
            memcpy(mix, tried, n * sizeof(*mix));
            *worst = found;
        }
        if (!faster || found < bound)
            bracket.holds = bracket.budget;
        else
            bracket.fails = bracket.budget = sum_errors(layers, n, tried);
        if (isinf(bracket.fails) && !can_grow(layers, n, tried))
            break;
        choose_next(&bracket, bound, found);
    }
    return TRUE;
}
