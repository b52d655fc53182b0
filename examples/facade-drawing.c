/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "facade-drawing.h"

#include <math.h>

typedef enum {
    BACKGROUND,
    WALL,
    WINDOW,
    DOOR,
    CORNICE,
    SILL,
    BALCONY,
    BLIND,
    DECORATION,
    MOULDING,
    PILLAR,
    SHOP,
} Label;

/* The labels of the CMP facade database. */
static const guint8 colours[][3] = {
    [BACKGROUND] = {0, 0, 170}, [WALL] = {0, 0, 255},      [WINDOW] = {0, 85, 255},
    [DOOR] = {0, 170, 255},     [CORNICE] = {0, 255, 255}, [SILL] = {85, 255, 170},
    [BALCONY] = {170, 255, 85}, [BLIND] = {255, 255, 0},   [DECORATION] = {255, 170, 0},
    [MOULDING] = {255, 85, 0},  [PILLAR] = {255, 0, 0},    [SHOP] = {170, 0, 0},
};

typedef enum {
    SHUTTERS = 1 << 0,  /* blinds beside the windows */
    ROLLERS = 1 << 1,   /* blinds that come down over them */
    CORNICES = 1 << 2,  /* over the windows */
    SILLS = 1 << 3,     /* under them */
    BALCONIES = 1 << 4, /* one travels along the house */
    PILLARS = 1 << 5,   /* between the windows of the main floor */
    CORNERS = 1 << 6,   /* pillars at both ends, over all floors */
    SHOPS = 1 << 7,     /* in the ground floor */
    PAIRS = 1 << 8,     /* every window is two narrow ones */
    ORNAMENT = 1 << 9,  /* decoration between the windows */
    DORMERS = 1 << 10,  /* small windows in the roof */
    GABLE = 1 << 11,    /* the middle is higher than the sides */
    ARCHES = 1 << 12,   /* decoration over the door and the main floor's windows */
} Feature;

typedef struct {
    int floors, columns;     /* floors with the ground floor */
    int door;                /* its column */
    int balcony_floor;       /* 0 is the ground floor */
    double left, right, top; /* of the wall, in a square of 256 x 256 */
    unsigned features;
} Style;

static const Style styles[FACADE_STYLES] = {
    {4, 6, 2, 1, 12, 246, 14, SHUTTERS | CORNICES | SILLS | BALCONIES | ARCHES},
    {4, 7, 3, 2, 0, 256, 20, CORNICES | SILLS | PILLARS | CORNERS | ORNAMENT | ARCHES},
    {5, 5, 2, 2, 26, 232, 22, SHUTTERS | SILLS | BALCONIES | SHOPS | DORMERS},
    {3, 4, 1, 1, 8, 250, 18, PAIRS | CORNICES | SILLS | ORNAMENT | CORNERS},
    {5, 7, 0, 3, 6, 252, 10, CORNICES | SILLS | BALCONIES | SHOPS | PILLARS},
    {4, 5, 2, 1, 16, 240, 40, PAIRS | CORNICES | SILLS | BALCONIES | GABLE | ORNAMENT | ARCHES},
    {6, 6, 3, 3, 20, 238, 8, ROLLERS | SILLS | BALCONIES | CORNERS},
    {3, 5, 4, 1, 0, 256, 34, SHUTTERS | CORNICES | SILLS | DORMERS | PILLARS},
};

/* Where to draw, and the part of the house that is seen: a point p of the 256 x 256 square appears
 * at (p - origin) * zoom. */
typedef struct {
    guint8 *rgb;
    int width, height;
    gsize stride;
    double zoom_x, zoom_y, origin_x, origin_y;
} Canvas;

static void fill(const Canvas *canvas, Label label, double x, double y, double width, double height)
{
    int left = CLAMP(lround((x - canvas->origin_x) * canvas->zoom_x), 0, canvas->width);
    int right = CLAMP(lround((x + width - canvas->origin_x) * canvas->zoom_x), 0, canvas->width);
    int top = CLAMP(lround((y - canvas->origin_y) * canvas->zoom_y), 0, canvas->height);
    int bottom = CLAMP(lround((y + height - canvas->origin_y) * canvas->zoom_y), 0, canvas->height);

    for (int row = top; row < bottom; row++) {
        guint8 *p = canvas->rgb + row * canvas->stride + 3 * left;
        for (int column = left; column < right; column++, p += 3) {
            for (int c = 0; c < 3; c++)
                p[c] = colours[label][c];
        }
    }
}

/* Returns: a number in [0, 1) that belongs to @seed and @index. Source: Steele, Lea, Flood,
 * "Fast splittable pseudorandom number generators" (2014), mix64. */
static double noise(guint seed, guint index)
{
    guint64 z = ((guint64)seed << 32 | index) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return ((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

/* 0 below 0, 1 above 1, no corners between. */
static double ease(double x)
{
    x = CLAMP(x, 0, 1);
    return x * x * (3 - 2 * x);
}

/* How far something has moved from where it rests: up and down again once in @period, resting for
 * more than half of it. Starts at 0. */
static double pulse(double seconds, double period, double phase)
{
    double at = fmod(seconds / period + phase, 1);

    return seconds <= 0 ? 0 : ease((at - 0.5) * 6) - ease((at - 0.82) * 6);
}

/* The measures of one house, all in the square of 256 x 256. */
typedef struct {
    Style style;
    guint seed;
    double seconds;
    double roof;          /* height of the uppermost moulding */
    double pitch, window; /* of columns; width of a window */
    double ground, floor; /* tops of: the ground floor; heights of the floors above */
} House;

static double column_middle(const House *house, double column)
{
    return house->style.left + (column + 0.5) * house->pitch;
}

static double floor_top(const House *house, int floor)
{
    return house->ground - floor * house->floor;
}

static void draw_blinds(const Canvas *canvas, const House *house, double x, double y, double width,
                        double height, double moved)
{
    if (house->style.features & SHUTTERS) {
        double leaf = width * 0.36, inward = moved * width * 0.5;
        fill(canvas, BLIND, x - leaf + inward * 0.72, y, leaf + inward * 0.28, height);
        fill(canvas, BLIND, x + width - inward, y, leaf + inward * 0.28, height);
    }
    if (house->style.features & ROLLERS) {
        double down = 0.18 + 0.62 * moved;
        fill(canvas, BLIND, x, y, width, height * down);
    }
}

static void draw_window(const Canvas *canvas, const House *house, int column, int floor)
{
    unsigned features = house->style.features;
    guint place = floor * 64 + column;
    double top = floor_top(house, floor);
    double height = house->floor * (floor == house->style.floors - 1 ? 0.5 : 0.56);
    double y = top + house->floor * 0.25, width = house->window;
    double x = column_middle(house, column) - width / 2;
    double moved = pulse(house->seconds, 4 + 3 * noise(house->seed, place), noise(7, place));

    if (features & PAIRS) {
        fill(canvas, WINDOW, x, y, width * 0.46, height);
        fill(canvas, WINDOW, x + width * 0.54, y, width * 0.46, height);
    } else {
        fill(canvas, WINDOW, x, y, width, height);
    }
    /* an open window is a little taller: its upper light tilts out */
    fill(canvas, WINDOW, x + width * 0.1, y - 3 * moved, width * 0.8, 4 * moved);
    draw_blinds(canvas, house, x, y, width, height, moved);
    if (features & CORNICES)
        fill(canvas, CORNICE, x - 3, y - house->floor * 0.16, width + 6, house->floor * 0.13);
    if (features & ARCHES && floor == 1)
        fill(canvas, DECORATION, x + width * 0.2, y - house->floor * 0.24, width * 0.6,
             house->floor * 0.07);
    if (features & SILLS)
        fill(canvas, SILL, x - 3, y + height, width + 6, house->floor * (floor == 1 ? 0.17 : 0.1));
}

static void draw_floor(const Canvas *canvas, const House *house, int floor)
{
    const Style *style = &house->style;
    double top = floor_top(house, floor), bottom = top + house->floor;

    for (int column = 0; column < style->columns; column++) {
        draw_window(canvas, house, column, floor);
        double gap = column_middle(house, column) + house->pitch / 2;
        if (style->features & PILLARS && floor == 1 && column < style->columns - 1) {
            fill(canvas, PILLAR, gap - 2, top + 4, 4, house->floor - 4);
            fill(canvas, PILLAR, gap - 4, top + 2, 8, 4);
            fill(canvas, PILLAR, gap - 4, bottom - 4, 8, 4);
        }
        if (style->features & ORNAMENT && floor == style->floors - 1 && column < style->columns - 1)
            fill(canvas, DECORATION, gap - 3, top + house->floor * 0.36, 6, house->floor * 0.28);
    }
    fill(canvas, MOULDING, style->left - 2, bottom - house->floor * 0.05,
         style->right - style->left + 4, house->floor * (floor == 1 ? 0.16 : 0.1));
}

static void draw_door(const Canvas *canvas, const House *house, double bottom)
{
    double height = bottom - house->ground, width = house->window * 1.25;
    double x = column_middle(house, house->style.door) - width / 2;

    fill(canvas, DOOR, x, bottom - height * 0.72, width, height * 0.72);
    if (house->style.features & ARCHES) {
        fill(canvas, PILLAR, x - 6, bottom - height * 0.72, 5, height * 0.72);
        fill(canvas, PILLAR, x + width + 1, bottom - height * 0.72, 5, height * 0.72);
        fill(canvas, DECORATION, x - 6, bottom - height * 0.82, width + 12, height * 0.1);
    }
}

static void draw_ground_floor(const Canvas *canvas, const House *house, double bottom)
{
    const Style *style = &house->style;
    double height = bottom - house->ground;

    for (int column = 0; column < style->columns; column++) {
        double middle = column_middle(house, column);
        guint place = 4096 + column;
        if (column == style->door)
            continue;
        if (style->features & SHOPS) {
            double width = house->pitch * 0.8;
            double open = pulse(house->seconds, 7, noise(house->seed, place));
            fill(canvas, SHOP, middle - width / 2, bottom - height * 0.74, width, height * 0.66);
            fill(canvas, WINDOW, middle - width * 0.38, bottom - height * 0.5, width * 0.76,
                 height * 0.4 * (1 - 0.6 * open));
        } else {
            double width = house->window, top = bottom - height * 0.72;
            double moved =
                pulse(house->seconds, 5 + 2 * noise(house->seed, place), noise(7, place));
            fill(canvas, WINDOW, middle - width / 2, top, width, height * 0.42);
            draw_blinds(canvas, house, middle - width / 2, top, width, height * 0.42, moved);
            if (style->features & SILLS)
                fill(canvas, SILL, middle - width / 2 - 2, top + height * 0.42, width + 4,
                     height * 0.08);
        }
    }
    if (style->features & SHOPS)
        fill(canvas, MOULDING, style->left, house->ground + height * 0.08,
             style->right - style->left, height * 0.09);
    draw_door(canvas, house, bottom);
}

static void draw_roof(const Canvas *canvas, const House *house)
{
    const Style *style = &house->style;
    double width = style->right - style->left, top = style->top;

    if (style->features & GABLE) {
        fill(canvas, WALL, style->left + width * 0.3, top - 26, width * 0.4, 28);
        fill(canvas, MOULDING, style->left + width * 0.28, top - 32, width * 0.44, 8);
        fill(canvas, WINDOW, style->left + width * 0.5 - 9, top - 20, 18, 18);
        fill(canvas, CORNICE, style->left + width * 0.5 - 12, top - 24, 24, 4);
    }
    fill(canvas, MOULDING, style->left - 3, top, width + 6, house->roof);
    for (int column = 0; style->features & DORMERS && column < style->columns; column += 2) {
        double middle = column_middle(house, column);
        fill(canvas, WALL, middle - 11, top - 16, 22, 16);
        fill(canvas, WINDOW, middle - 7, top - 12, 14, 12);
        fill(canvas, CORNICE, middle - 11, top - 18, 22, 5);
    }
    for (int column = 0; style->features & ORNAMENT && column < style->columns; column++)
        fill(canvas, DECORATION, column_middle(house, column) - 5, top + house->roof * 0.3, 10,
             house->roof * 0.45);
}

/* It rests at one column, glides to the next and so on, back and forth along the house. */
static void draw_balcony(const Canvas *canvas, const House *house)
{
    int columns = house->style.columns, span = MAX(1, columns - 1);
    double steps = MAX(house->seconds, 0) / 2.5, whole = floor(steps);
    double at = fmod(columns / 2 + whole + ease((steps - whole) * 2 - 1), 2 * span);
    double column = at > span ? 2 * span - at : at;
    double y = floor_top(house, house->style.balcony_floor) + house->floor * 0.6;
    double width = house->pitch * 1.3, x = column_middle(house, column) - width / 2;

    x = CLAMP(x, house->style.left, house->style.right - width);
    fill(canvas, BALCONY, x, y, width, house->floor * 0.34);
    if (house->style.features & SHUTTERS && house->style.floors > 3) /* a second one, that stays */
        fill(canvas, BALCONY, column_middle(house, columns - 2) - width * 0.35, y - house->floor,
             width * 0.7, house->floor * 0.3);
}

static void vary(Style *style, guint seed)
{
    if (seed < FACADE_STYLES)
        return;
    style->columns = MAX(3, style->columns + (int)(noise(seed, 1) * 3) - 1);
    style->floors = MAX(3, style->floors + (int)(noise(seed, 2) * 3) - 1);
    style->door = noise(seed, 3) * style->columns;
    style->balcony_floor = 1 + (int)(noise(seed, 4) * (style->floors - 1));
    style->features ^= noise(seed, 5) < 0.5 ? CORNERS : ORNAMENT;
}

void facade_draw(guint8 *rgb, int width, int height, gsize stride, guint seed, double seconds)
{
    House house = {.style = styles[seed % FACADE_STYLES], .seed = seed, .seconds = seconds};
    const Style *style = &house.style;
    const double bottom = 252;

    vary(&house.style, seed);
    /* The camera walks along the house and comes a little closer on the way. */
    double walk = MAX(seconds, 0) * 0.35, zoom = 1 + 0.12 * (1 - cos(walk * 0.8));
    Canvas canvas = {
        .rgb = rgb,
        .width = width,
        .height = height,
        .stride = stride,
        .zoom_x = zoom * width / 256,
        .zoom_y = zoom * height / 256,
        .origin_x = 128 - 128 / zoom + 20 * sin(walk),
        .origin_y = 160 - 160 / zoom,
    };

    house.pitch = (style->right - style->left) / style->columns;
    house.window = house.pitch * (style->features & SHUTTERS ? 0.42 : 0.54);
    house.roof = 16 + 8 * noise(seed, 0);
    house.floor = (bottom - style->top - house.roof) / (style->floors + 0.25);
    house.ground = bottom - house.floor * 1.25;

    fill(&canvas, BACKGROUND, -1024, -1024, 4096, 4096);
    fill(&canvas, WALL, style->left, style->top, style->right - style->left, bottom - style->top);
    draw_ground_floor(&canvas, &house, bottom);
    for (int floor = 1; floor < style->floors; floor++)
        draw_floor(&canvas, &house, floor);
    draw_roof(&canvas, &house);
    if (style->features & CORNERS) {
        fill(&canvas, PILLAR, style->left + 1, style->top + house.roof, 5, bottom - style->top);
        fill(&canvas, PILLAR, style->right - 6, style->top + house.roof, 5, bottom - style->top);
    }
    if (style->features & BALCONIES)
        draw_balcony(&canvas, &house);
}
