/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "aerial-drawing.h"

#include "aerial-blocks.h"

#include <math.h>

/* The blocks that the picture shows, and those around it that reach into it. */
static void each_block(Scene *scene, void (*draw)(Scene *scene, const Block *block))
{
    const Town *town = &scene->town;
    double reach = canvas_reach(&scene->canvas);
    int left = floor((scene->canvas.x - reach) / town->pitch_x) - 1;
    int right = ceil((scene->canvas.x + reach) / town->pitch_x);
    int top = floor((scene->canvas.y - reach) / town->pitch_y) - 1;
    int bottom = ceil((scene->canvas.y + reach) / town->pitch_y);

    for (int j = top; j <= bottom; j++) {
        for (int i = left; i <= right; i++) {
            Block block = town_block(town, i, j);
            draw(scene, &block);
        }
    }
}

static void draw_band(const Scene *scene, const Band *band, Material material, double width)
{
    const double step = 4 + band->width / 6;
    double reach = canvas_reach(&scene->canvas) + band->width + band->bend;
    double middle = band_way(band, scene->canvas.x, scene->canvas.y);
    double x0, y0, x1, y1;

    for (double way = floor((middle - reach) / step) * step; way < middle + reach; way += step) {
        band_at(band, way, &x0, &y0);
        band_at(band, way + step, &x1, &y1);
        canvas_line(&scene->canvas, material, x0, y0, x1, y1, width);
    }
}

static void draw_avenues(const Scene *scene, int every)
{
    const Canvas *canvas = &scene->canvas;
    double reach = canvas_reach(canvas);
    int first = floor((canvas->x - reach) / scene->town.pitch_x / every - 1) * every;

    for (int i = first; i * scene->town.pitch_x < canvas->x + reach + 20; i += every) {
        double x = town_street_x(&scene->town, i), width = town_street_width(&scene->town, i);
        canvas_box(canvas, PAVEMENT, x, canvas->y, width + 2, 2 * reach, 0);
        canvas_box(canvas, ASPHALT, x, canvas->y, width, 2 * reach, 0);
        canvas_box(canvas, MARKING, x, canvas->y, 0.7, 2 * reach, 0);
    }
}

static void draw_bands(const Scene *scene)
{
    const Band *river = scene->town.river, *motorway = scene->town.motorway;

    if (river) {
        draw_band(scene, river, BANK, river->width + 4);
        draw_band(scene, river, WATER, river->width);
    }
    if (motorway) {
        draw_band(scene, motorway, LAWN, motorway->width + 6);
        draw_band(scene, motorway, PAVEMENT, motorway->width);
        draw_band(scene, motorway, LAWN, 4);
    }
}

void aerial_draw(guint8 *rgb, int width, int height, gsize stride, guint seed, double seconds)
{
    Scene scene = {0};
    Town *town = &scene.town;

    town_init(town, seed);
    /* It flies to the right of the first picture and turns slowly; the sun stays where it is. */
    double turn = town->turn + 0.1 * sin(seconds * 0.3);
    scene.canvas = (Canvas){
        .rgb = rgb,
        .width = width,
        .height = height,
        .stride = stride,
        .zoom = width / 256.0,
        .x = town->x + 14 * seconds * cos(town->turn),
        .y = town->y - 14 * seconds * sin(town->turn),
        .cosine = cos(turn),
        .sine = sin(turn),
    };
    scene.shade_x = -0.4 * cos(town->turn) - 0.75 * sin(town->turn);
    scene.shade_y = 0.4 * sin(town->turn) - 0.75 * cos(town->turn);

    canvas_box(&scene.canvas, ASPHALT, scene.canvas.x, scene.canvas.y,
               2 * canvas_reach(&scene.canvas), 2 * canvas_reach(&scene.canvas), 0);
    each_block(&scene, aerial_draw_ground);
    draw_bands(&scene);
    draw_avenues(&scene, 2 * town->avenues);
    each_block(&scene, aerial_draw_buildings);
}
