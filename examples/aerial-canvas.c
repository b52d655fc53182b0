/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "aerial-canvas.h"

#include <math.h>

#define SOFT 1.25 /* width of an edge in pixels: a photo is never as sharp as its pixels */

/* Seen from above: a colour, and how much of its brightness changes from unit to unit (grain) and
 * over some ten of them (lumps). Both belong to the place, so that they move with it. */
typedef struct {
    guint8 colour[3];
    double grain, lumps, opacity;
} Look;

static const Look looks[CARS_END] = {
    [ASPHALT] = {{76, 75, 71}, 0.12, 0.10, 1},
    [MARKING] = {{112, 110, 102}, 0, 0, 0.5},
    [PAVEMENT] = {{98, 96, 90}, 0.16, 0.12, 1},
    [YARD] = {{68, 69, 58}, 0.30, 0.35, 1},
    [LAWN] = {{58, 68, 42}, 0.18, 0.22, 1},
    [DRY_GRASS] = {{76, 76, 54}, 0.16, 0.20, 0.7},
    [SAND] = {{152, 132, 98}, 0.08, 0.05, 1},
    [PATH] = {{90, 86, 74}, 0.10, 0, 0.7},
    [TRACK] = {{100, 76, 66}, 0.06, 0, 1},
    [BANK] = {{98, 94, 84}, 0.25, 0.20, 1},
    [WATER] = {{28, 42, 40}, 0.07, 0.10, 1},
    [LEAVES] = {{40, 47, 32}, 0.40, 0.15, 0.95},
    [SUNLIT_LEAVES] = {{64, 74, 48}, 0.40, 0.15, 0.7},
    [SHADOW] = {{16, 17, 20}, 0.20, 0, 0.72},
    [DARK_SIDE] = {{16, 17, 20}, 0, 0, 0.4},
    [WHITE_ROOF] = {{206, 207, 204}, 0.06, 0.05, 1},
    [LIGHT_ROOF] = {{176, 181, 186}, 0.10, 0.06, 1},
    [GREY_ROOF] = {{132, 134, 136}, 0.12, 0.08, 1},
    [TAR_ROOF] = {{92, 91, 90}, 0.14, 0.08, 1},
    [ROOFS + 4] = {{104, 92, 80}, 0.12, 0.08, 1},
    [ROOFS + 5] = {{62, 61, 62}, 0.14, 0.10, 1},
    [ROOFS + 6] = {{106, 88, 78}, 0.12, 0.06, 1},
    [ROOFS + 7] = {{150, 142, 126}, 0.10, 0.06, 1},
    [CARS] = {{186, 188, 190}, 0, 0, 0.9},
    [CARS + 1] = {{34, 34, 38}, 0, 0, 0.9},
    [CARS + 2] = {{128, 130, 134}, 0, 0, 0.9},
    [CARS + 3] = {{84, 54, 50}, 0, 0, 0.8},
    [CARS + 4] = {{48, 60, 86}, 0, 0, 0.9},
};

double noise_at(guint seed, int x, int y)
{
    guint64 z =
        ((guint64)(guint32)x << 32 | (guint32)y) + seed * G_GUINT64_CONSTANT(0xd1b54a32d192ed03);

    z *= G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return ((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

double noise_smooth(guint seed, double x, double y)
{
    double left = floor(x), top = floor(y);
    int column = left, row = top;
    double right = x - left, down = y - top;
    double above =
        noise_at(seed, column, row) * (1 - right) + noise_at(seed, column + 1, row) * right;
    double below =
        noise_at(seed, column, row + 1) * (1 - right) + noise_at(seed, column + 1, row + 1) * right;

    return above * (1 - down) + below * down;
}

double canvas_reach(const Canvas *canvas)
{
    return hypot(canvas->width, canvas->height) / 2 / canvas->zoom;
}

/* A box around (x, y) whose width points along (along_x, along_y), all in the town. */
typedef struct {
    double x, y, along_x, along_y;
    double width, height, round;
} Shape;

/* Returns: how far outside of it a place is; negative inside. */
static double distance(const Shape *shape, double x, double y)
{
    double right = x - shape->x, down = y - shape->y;
    double along = fabs(right * shape->along_x + down * shape->along_y);
    double across = fabs(down * shape->along_x - right * shape->along_y);
    double a = along - shape->width / 2 + shape->round;
    double b = across - shape->height / 2 + shape->round;

    if (a > 0 && b > 0)
        return sqrt(a * a + b * b) - shape->round;
    return MAX(a, b) - shape->round;
}

/* Returns: what the brightness of a material is multiplied with at a place. */
static double texture(const Look *look, double x, double y)
{
    double light = 1;

    if (look->grain > 0)
        light += look->grain * (2 * noise_smooth(1, x * 0.9, y * 0.9) - 1);
    if (look->lumps > 0)
        light += look->lumps * (2 * noise_smooth(2, x * 0.15, y * 0.15) - 1);
    return light;
}

static void blend(guint8 *pixel, const Look *look, double light, double opacity)
{
    for (int c = 0; c < 3; c++) {
        double wanted = MIN(look->colour[c] * light, 255);
        pixel[c] = lround(pixel[c] + (wanted - pixel[c]) * opacity);
    }
}

static void paint(const Canvas *canvas, const Shape *shape, Material material)
{
    const Look *look = &looks[material];
    double zoom = canvas->zoom, c = canvas->cosine, s = canvas->sine;
    double middle_x = canvas->width / 2.0, middle_y = canvas->height / 2.0;
    /* the shape's middle and its extent in the picture */
    double right = shape->x - canvas->x, down = shape->y - canvas->y;
    double x = middle_x + zoom * (right * c - down * s);
    double y = middle_y + zoom * (right * s + down * c);
    double ux = fabs(shape->along_x * c - shape->along_y * s);
    double uy = fabs(shape->along_x * s + shape->along_y * c);
    double extent_x = zoom * (ux * shape->width + uy * shape->height) / 2 + SOFT;
    double extent_y = zoom * (uy * shape->width + ux * shape->height) / 2 + SOFT;
    int first = CLAMP(floor(x - extent_x), 0, canvas->width);
    int last = CLAMP(ceil(x + extent_x), 0, canvas->width);
    int top = CLAMP(floor(y - extent_y), 0, canvas->height);
    int bottom = CLAMP(ceil(y + extent_y), 0, canvas->height);

    for (int row = top; row < bottom; row++) {
        for (int column = first; column < last; column++) {
            double px = (column + 0.5 - middle_x) / zoom, py = (row + 0.5 - middle_y) / zoom;
            double tx = canvas->x + px * c + py * s, ty = canvas->y + py * c - px * s;
            double cover = 0.5 - distance(shape, tx, ty) * zoom / SOFT;
            if (cover > 0)
                blend(canvas->rgb + row * canvas->stride + 3 * column, look, texture(look, tx, ty),
                      MIN(cover, 1) * look->opacity);
        }
    }
}

void canvas_box(const Canvas *canvas, Material material, double x, double y, double width,
                double height, double round)
{
    paint(canvas, &(Shape){x, y, 1, 0, width, height, round}, material);
}

void canvas_line(const Canvas *canvas, Material material, double x0, double y0, double x1,
                 double y1, double width)
{
    double right = x1 - x0, down = y1 - y0, length = sqrt(right * right + down * down);

    if (length > 0)
        paint(canvas,
              &(Shape){(x0 + x1) / 2, (y0 + y1) / 2, right / length, down / length, length + width,
                       width, width / 2},
              material);
}
