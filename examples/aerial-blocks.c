/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "aerial-blocks.h"

#include <math.h>

/* Returns: a number between the two, another one every time. */
static double roll(Scene *scene, double least, double most)
{
    return least + (most - least) * noise_at(scene->seed, scene->rolls++, 0);
}

static gboolean chance(Scene *scene, double share)
{
    return roll(scene, 0, 1) < share;
}

/* Something @height tall: a box and its shadow. */
static void draw_solid(const Scene *scene, Material material, double x, double y, double width,
                       double height, double tall)
{
    for (double up = tall / 2; up <= tall; up += tall / 2)
        canvas_box(&scene->canvas, SHADOW, x + up * scene->shade_x, y + up * scene->shade_y, width,
                   height, 0);
    canvas_box(&scene->canvas, material, x, y, width, height, 0);
}

static void draw_tree(const Scene *scene, double x, double y, double radius)
{
    double size = 2 * radius, lit = -radius * 0.3;

    canvas_box(&scene->canvas, SHADOW, x + radius * scene->shade_x, y + radius * scene->shade_y,
               size, size, radius);
    canvas_box(&scene->canvas, LEAVES, x, y, size, size, radius);
    canvas_box(&scene->canvas, SUNLIT_LEAVES, x + lit * scene->shade_x, y + lit * scene->shade_y,
               size * 0.6, size * 0.6, radius * 0.6);
}

/* Trees on a part of a block, in groups. */
static void draw_trees(Scene *scene, double left, double top, double right, double bottom,
                       double density)
{
    int count = (right - left) * (bottom - top) / 100 * density;

    for (int i = 0; i < count; i++) {
        double x = roll(scene, left, right), y = roll(scene, top, bottom);
        double radius = roll(scene, 1.5, 3.2);
        if (noise_smooth(3, x * 0.06, y * 0.06) > 0.42 &&
            town_is_free(&scene->town, x, y, radius * 0.5))
            draw_tree(scene, x, y, radius);
    }
}

static void draw_car(Scene *scene, double x, double y, gboolean upright)
{
    Material car = CARS + (int)roll(scene, 0, CARS_END - CARS);

    canvas_box(&scene->canvas, car, x, y, upright ? 0.9 : 2, upright ? 2 : 0.9, 0.3);
}

/* Parked along both kerbs. */
static void draw_parked_cars(Scene *scene, const Block *block)
{
    for (double y = block->top + 3; y < block->bottom - 3; y += 2.6) {
        if (chance(scene, 0.45) && town_is_free(&scene->town, block->left, y, 2))
            draw_car(scene, block->left - 0.8, y, TRUE);
        if (chance(scene, 0.45) && town_is_free(&scene->town, block->right, y, 2))
            draw_car(scene, block->right + 0.8, y, TRUE);
    }
}

/* Pitched roofs have a lit and a dark side, flat ones something on top. */
static void draw_house(Scene *scene, Material roof, double x, double y, double width, double height,
                       gboolean pitched)
{
    double at_x = roll(scene, -0.3, 0.3) * width, at_y = roll(scene, -0.3, 0.3) * height;

    if (!town_is_free(&scene->town, x, y, MAX(width, height) / 2 + 1))
        return;
    draw_solid(scene, roof, x, y, width, height, 3);
    if (pitched) {
        canvas_box(&scene->canvas, DARK_SIDE, x, y - height / 4, width, height / 2, 0);
    } else {
        canvas_box(&scene->canvas, SHADOW, x, y - height / 2, width, 0.5, 0);
        draw_solid(scene, TAR_ROOF, x + at_x, y + at_y, 1.2, 1.2, 0.6);
    }
}

static Material any_roof(Scene *scene)
{
    return ROOFS + (int)(roll(scene, 0, 1) * roll(scene, 0.3, 1) * (ROOFS_END - ROOFS));
}

/* Houses along one side of a block; a terrace has one roof for some houses on end. */
static void draw_row(Scene *scene, const Block *block, int side, gboolean apart)
{
    double edge = side < 0 ? block->left : block->right, depth = 10, back = 2;
    Material roof = any_roof(scene);

    for (double y = block->top + 2, width; y < block->bottom - 6; y += width) {
        width = apart ? roll(scene, 6, 8) : roll(scene, 4, 7);
        if (apart || chance(scene, 0.3)) {
            roof = any_roof(scene);
            depth = apart ? roll(scene, 7, 9) : roll(scene, 9, 13);
            back = apart ? roll(scene, 3, 4.5) : roll(scene, 1.5, 2.5);
        }
        draw_house(scene, roof, edge - side * (back + depth / 2), y + width / 2, depth, width,
                   apart);
        if (apart || chance(scene, 0.08))
            y += roll(scene, 2, 4);
    }
}

/* Trees stand in the yards between the two rows, mostly. */
static void draw_rows(Scene *scene, const Block *block, gboolean apart)
{
    double middle = (block->left + block->right) / 2, trees = scene->town.trees;

    draw_row(scene, block, -1, apart);
    draw_row(scene, block, 1, apart);
    draw_trees(scene, middle - 7, block->top, middle + 7, block->bottom, trees * 1.6);
    draw_trees(scene, block->left, block->top, block->right, block->bottom, trees);
}

/* Tall houses that stand free between lawns. */
static void draw_slabs(Scene *scene, const Block *block)
{
    double width = block->right - block->left, height = block->bottom - block->top;
    int count = MAX(1, height / 26);

    draw_trees(scene, block->left, block->top, block->right, block->bottom, scene->town.trees);
    for (int i = 0; i < count; i++) {
        double x = block->left + width / 2, y = block->top + height * (i + 0.5) / count;
        Material roof = chance(scene, 0.6) ? WHITE_ROOF : GREY_ROOF;
        double wing = roll(scene, -0.3, 0.3) * width, aside = roll(scene, -4, 4);
        if (!town_is_free(&scene->town, x, y, 12))
            continue;
        draw_solid(scene, roof, x + wing, y, 8, 19, 6);
        draw_solid(scene, roof, x, y + aside, width * 0.75, 8, 6);
        canvas_box(&scene->canvas, TAR_ROOF, x + wing, y, 2.5, 2.5, 0);
    }
}

static void draw_roof_lights(Scene *scene, double x, double y, double width, double height)
{
    for (int i = roll(scene, 4, 14); i > 0; i--) {
        Material material = ROOFS + (int)roll(scene, 0, 4);
        double right = roll(scene, -0.4, 0.4) * width, down = roll(scene, -0.4, 0.4) * height;
        double size = roll(scene, 0.8, 2.4);
        draw_solid(scene, material, x + right, y + down, size, 1.2, 0.6);
    }
}

/* Roofs as large as half a block, cars and lorries between. */
static void draw_works(Scene *scene, const Block *block)
{
    double whole = block->right - block->left - 4, height;

    for (int i = 0; i < 60; i++) {
        double x = roll(scene, block->left + 2, block->right - 2);
        double y = roll(scene, block->top + 2, block->bottom - 2);
        if (town_is_free(&scene->town, x, y, 3))
            draw_car(scene, x, y, chance(scene, 0.8));
    }
    for (double top = block->top + 2; top < block->bottom - 12; top += height + 2) {
        double width = whole * roll(scene, 0.6, 1), x = block->left + 2 + width / 2, y;
        Material roof = any_roof(scene);
        height = MIN(roll(scene, 16, 36), block->bottom - 2 - top);
        y = top + height / 2;
        if (chance(scene, 0.85) && town_is_free(&scene->town, x, y, MAX(width, height) / 2)) {
            draw_solid(scene, roof, x, y, width, height, 4);
            draw_roof_lights(scene, x, y, width, height);
        }
    }
    draw_trees(scene, block->left, block->top, block->left + 4, block->bottom, scene->town.trees);
}

static void draw_parking(Scene *scene, const Block *block)
{
    for (double y = block->top + 5; y < block->bottom - 6; y += 7.5) {
        for (double x = block->left + 4; x < block->right - 3; x += 1.5) {
            for (int row = 0; row < 2; row++) {
                if (chance(scene, 0.7) && town_is_free(&scene->town, x, y, 3))
                    draw_car(scene, x, y + 2.4 * row, TRUE);
            }
        }
    }
    draw_trees(scene, block->left, block->top, block->right, block->top + 4, scene->town.trees * 2);
}

/* Beside its sports field. */
static void draw_school(Scene *scene, const Block *block)
{
    double width = block->right - block->left, height = block->bottom - block->top;
    double middle = block->left + width / 2;

    draw_solid(scene, WHITE_ROOF, middle, block->top + height * 0.1, width * 0.8, height * 0.11, 4);
    draw_solid(scene, WHITE_ROOF, block->left + width * 0.25, block->top + height * 0.22,
               width * 0.3, height * 0.25, 4);
    draw_trees(scene, middle, block->top + height * 0.2, block->right, block->top + height * 0.38,
               scene->town.trees * 2);
}

static void draw_sports_field(const Canvas *canvas, const Block *block)
{
    double width = block->right - block->left - 6, height = (block->bottom - block->top) * 0.58;
    double x = (block->left + block->right) / 2, y = block->bottom - height / 2 - 4;

    canvas_box(canvas, TRACK, x, y, width, height, width / 2);
    canvas_box(canvas, LAWN, x, y, width - 5, height - 5, width / 2 - 2.5);
    canvas_box(canvas, MARKING, x, y, width - 9, 0.6, 0);
}

/* A path that bends once on its way. */
static void draw_path(const Canvas *canvas, double x0, double y0, double x1, double y1, double x2,
                      double y2)
{
    double x = x0, y = y0;

    for (int i = 1; i <= 12; i++) {
        double t = i / 12.0, s = 1 - t;
        double to_x = s * s * x0 + 2 * s * t * x1 + t * t * x2;
        double to_y = s * s * y0 + 2 * s * t * y1 + t * t * y2;
        canvas_line(canvas, PATH, x, y, to_x, to_y, 1.3);
        x = to_x;
        y = to_y;
    }
}

static void draw_meadows(Scene *scene, const Block *block)
{
    const Canvas *canvas = &scene->canvas;
    double x = (block->left + block->right) / 2, y = (block->top + block->bottom) / 2;
    double across = roll(scene, block->left, block->right);
    double down = roll(scene, block->top, block->bottom);

    for (int i = 0; i < 4; i++) {
        double to_x = roll(scene, block->left + 5, block->right - 5);
        double to_y = roll(scene, block->top + 5, block->bottom - 5);
        double width = roll(scene, 6, 14), height = roll(scene, 6, 14);
        canvas_box(canvas, DRY_GRASS, to_x, to_y, width, height, 3);
    }
    draw_path(canvas, block->left, down, x, y, across, block->bottom);
    draw_path(canvas, across, block->top, x, y, block->right, down);
    if (chance(scene, 0.08)) {
        canvas_box(canvas, BANK, x, y, 22, 34, 10);
        canvas_box(canvas, WATER, x, y, 20, 32, 9);
    } else if (chance(scene, 0.3)) {
        canvas_box(canvas, SAND, x, y, 9, 9, 4);
    }
}

/* A block seeds its own numbers, so that it looks the same from everywhere. */
static void start_rolls(Scene *scene, const Block *block, guint layer)
{
    scene->seed = block->seed + layer;
    scene->rolls = 0;
}

void aerial_draw_ground(Scene *scene, const Block *block)
{
    static const Material inside[KINDS] = {YARD, YARD, LAWN, PAVEMENT, ASPHALT, YARD, LAWN};
    const Canvas *canvas = &scene->canvas;
    double x = (block->left + block->right) / 2, y = (block->top + block->bottom) / 2;
    double width = block->right - block->left, height = block->bottom - block->top;
    double kerb = block->kind == PARK ? 0 : 3;

    start_rolls(scene, block, 0);
    canvas_box(canvas, PAVEMENT, x, y, width, height, kerb / 2);
    canvas_box(canvas, inside[block->kind], x, y, width - kerb, height - kerb, kerb / 3);
    if (block->kind == SCHOOL)
        draw_sports_field(canvas, block);
    else if (block->kind == PARK)
        draw_meadows(scene, block);
}

void aerial_draw_buildings(Scene *scene, const Block *block)
{
    start_rolls(scene, block, 1000);
    switch (block->kind) {
    case ROWS:
    case HOUSES:
        draw_rows(scene, block, block->kind == HOUSES);
        break;
    case SLABS:
        draw_slabs(scene, block);
        break;
    case WORKS:
        draw_works(scene, block);
        break;
    case PARKING:
        draw_parking(scene, block);
        break;
    case SCHOOL:
        draw_school(scene, block);
        break;
    default:
        draw_trees(scene, block->left, block->top, block->right, block->bottom,
                   1.5 * scene->town.trees);
    }
    if (block->kind != PARK)
        draw_parked_cars(scene, block);
}
