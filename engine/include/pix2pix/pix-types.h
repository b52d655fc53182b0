/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * Types that the whole engine and its users share: error codes and the choices that change what a
 * generator computes.
 */
#ifndef PIX2PIX_TYPES_H
#define PIX2PIX_TYPES_H

#include <glib.h>

G_BEGIN_DECLS

#if defined(__GNUC__)
#define PIX_API __attribute__((visibility("default")))
#else
#define PIX_API
#endif

/**
 * PixError:
 * Every failure of the library is a #GError of the domain %PIX_ERROR with one of these codes and
 * one line of text that names the file, tensor or size in question and says what to do.
 */
typedef enum {
    PIX_ERROR_NO_DEVICE,      /* the device asked for is not there, or its name is not understood */
    PIX_ERROR_DEVICE_LOST,    /* the device stopped working; open it again */
    PIX_ERROR_NO_MEMORY,      /* tensors do not fit; the text says how many MiB were asked for */
    PIX_ERROR_NOT_FOUND,      /* no such file or model */
    PIX_ERROR_IO,             /* a file could not be read or written */
    PIX_ERROR_BAD_CHECKPOINT, /* a file's contents are broken, unsafe, or no network that we know */
    PIX_ERROR_BAD_SHAPE,      /* a size that the network's arithmetic cannot do */
    PIX_ERROR_UNSUPPORTED, /* understood, but not something that this build, device or model can do
                            */
} PixError;

#define PIX_ERROR (pix_error_quark())
PIX_API GQuark pix_error_quark(void);

/**
 * PixStatistics:
 * Where batch norm takes mean and variance from. Instance norm always takes the frame's.
 * Source: pix2pix keeps the batch's statistics at test time (Isola et al. 2017, section 3.3).
 */
typedef enum {
    PIX_STATISTICS_AUTO,    /* what the checkpoint asks for, else FRAME */
    PIX_STATISTICS_FRAME,   /* of what is being translated: torch's training mode */
    PIX_STATISTICS_RUNNING, /* those in the checkpoint: torch's evaluation mode */
} PixStatistics;

/**
 * PixDropout:
 * What the dropout layers do. A mask is a pure function of seed, layer, element and (if fresh)
 * frame number, so that it is the same on every device and with any number of threads.
 */
typedef enum {
    PIX_DROPOUT_OFF,
    PIX_DROPOUT_FROZEN, /* one mask for all frames: nothing flickers */
    PIX_DROPOUT_FRESH,  /* a new mask for every frame, as in the paper */
} PixDropout;

/**
 * PixPrecision:
 * What a model's numbers are kept in. In a checkpoint that is said of the convolution weights alone,
 * and everything else is float32 always.
 *
 * The first session with layers of BF16 or INT8 on a CPU with AMX asks Linux to let the process use its
 * registers. That is for good: signal stacks that the host sets from then on, with sigaltstack(), need
 * getauxval(AT_MINSIGSTKSZ) bytes, some 11 KB. Where a thread has a smaller one already, AMX is done
 * without, as with `PIX2PIX_CPU=avx512dot`.
 */
typedef enum {
    PIX_PRECISION_AUTO, /* of a model on the CPU: its file's mix, if there is one, at each layer where
                           that is estimated to be faster on this CPU; else FP32. Of no checkpoint */
    PIX_PRECISION_FP32,
    PIX_PRECISION_FP16,
    PIX_PRECISION_BF16,
    PIX_PRECISION_INT8, /* symmetric, one float32 scale for each output channel */
} PixPrecision;

/** pix_precision_name: Returns: (transfer none): "auto", "fp32", "fp16", "bf16", "int8". */
PIX_API const char *pix_precision_name(PixPrecision precision);

/**
 * PixImage:
 * A view of somebody else's pixels: interleaved, 8 bits a channel, rows @stride bytes apart
 * (negative for bottom-up). Byte @offset[i] of each pixel is channel i of the network (0 = R, 1 =
 * G, 2 = B; or 0 = grey). Bytes that no offset names are never touched.
 */
typedef struct {
    guint8 *data; /* of the first pixel of the first row */
    gssize stride;
    int width, height;
    int pixel_bytes; /* 1 to 8 */
    int channels;    /* 1 to 4: how many of @offset count */
    int offset[4];
} PixImage;

/** PixPlane: rows of somebody else's bytes, @stride bytes apart (negative for bottom-up). */
typedef struct {
    guint8 *data; /* of the first row */
    gssize stride;
    int row_bytes, rows;
} PixPlane;

/**
 * PixComponent: samples of 8 bits each. That of pixel (x, y) is byte @offset + (x >> @x_shift) *
 * @step of row y >> @y_shift.
 */
typedef struct {
    int plane;
    int offset, step; /* 0 <= @offset < @step <= 8 */
    int x_shift, y_shift;
} PixComponent;

/**
 * PixVideo:
 * A view of somebody else's video frame, of which an image is the simple case. Bytes of no component
 * are never touched.
 */
typedef struct {
    int width, height;
    int n_planes, n_components;
    PixPlane planes[3];
    PixComponent components[4];
    /* Subsampled components: whether a sample lies at the first of its pixels or amidst them. */
    gboolean x_cosited, y_cosited;
    /*
     * FALSE: component i is channel i of the network. TRUE: going in, channel i is
     * matrix[i][0..2] times the components plus matrix[i][3], all in bytes, of at most three;
     * coming out, component i is the same of the channels.
     */
    gboolean converts;
    float matrix[3][4];
} PixVideo;

/** PixRect: in pixels, from the top left. */
typedef struct {
    int x, y, width, height;
} PixRect;

G_END_DECLS

#endif
