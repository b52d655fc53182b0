/* SPDX-License-Identifier: LGPL-2.1-or-later */

/**
 * libpix2pix: image-to-image translation with pix2pix and CycleGAN generators.
 *
 * Four objects, made in this order:
 *
 *   PixDevice      a processor: a GPU with Vulkan, or the CPU with a pool of threads
 *   PixCheckpoint  a file of weights, recognised and checked (pix_model_load() does it for you)
 *   PixModel       a network with its weights on a device; immutable, shared by many sessions
 *   PixSession     a model at one frame size, with options and all the memory that frames need
 *
 * A frame goes in and comes out as a PixImage or PixVideo, 8 bits a channel; or as float32 through
 * pix_session_forward(). Functions that can fail because of the world return %NULL or %FALSE and
 * set @error (see #PixError). The library never prints, exits or changes process-wide settings.
 */
#ifndef PIX2PIX_PIX_H
#define PIX2PIX_PIX_H

#include <pix2pix/pix-types.h>

G_BEGIN_DECLS

/** pix_version: Returns: (transfer none): the library's version, as "0.1.0". */
PIX_API const char *pix_version(void);

/* ---- devices ---- */

/**
 * PixDevice:
 * A processor that runs networks. Thread-safety: immutable; use and ref from any thread.
 */
typedef struct PixDevice PixDevice;

/**
 * pix_device_open:
 * @spec: (nullable): one of these; %NULL takes the environment's `PIX2PIX_DEVICE`, else `auto`.
 *
 *   auto            the best GPU that works, else the CPU; never a processor that plays a GPU
 *   cpu             the CPU
 *   vulkan          the best device that Vulkan knows, a processor that plays a GPU included
 *   vulkan:0        that with this number in the order of vkEnumeratePhysicalDevices()
 *   vulkan:geforce  the best with this in its name, in any case
 *   vulkan:10de:2684, vulkan:UUID   that with these numbers of vendor and device, with this UUID
 *
 * @threads: how many threads the CPU may use, the calling one included; 0 for all that the process
 * may run on.
 *
 * A GPU that has not yet been used with its driver computes a small network first, and is refused if
 * the CPU finds something else. That takes less than a second; the cache folder remembers.
 *
 * Returns: (transfer full): a device. Errors: %PIX_ERROR_NO_DEVICE, and what opening one may meet:
 * %PIX_ERROR_NO_MEMORY, %PIX_ERROR_DEVICE_LOST, %PIX_ERROR_UNSUPPORTED.
 */
PIX_API PixDevice *pix_device_open(const char *spec, unsigned threads, GError **error);

/**
 * pix_device_list:
 * Returns: (transfer full): what pix_device_open() takes for each device that the system names: the
 * CPU, then GPUs from the best one on, a processor that plays one last; one that it names twice is
 * listed once. %NULL-terminated, g_strfreev() it. Whether one works is known when it is opened.
 */
PIX_API char **pix_device_list(void);

PIX_API PixDevice *pix_device_ref(PixDevice *device);
PIX_API void pix_device_unref(PixDevice *device); /* accepts NULL */

/** PixDeviceInfo: what a person wants to know of a device. Strings belong to the library or the
 * device. */
typedef struct {
    const char *id;       /* what pix_device_open() takes: "cpu", "vulkan:0" */
    const char *name;     /* "AMD EPYC 9R45" */
    const char *driver;   /* its driver and version; NULL for the CPU */
    const char *features; /* what the engine uses of it: "avx512, 2 threads", "fp32" */
    const char *uuid;     /* 36 characters; NULL for the CPU */
    const char *level;    /* of its kernels, as in PIX2PIX_CPU: "c", "openblas", "avx2", "avx2vnni",
                             "avx512", "avx512vnni", "avx512dot", "amx", "neon"; "vulkan" */
    unsigned threads;     /* that run at a time; 0 where that means nothing */
    guint64 memory_bytes; /* in all; 0 where it is not known */
    const char *note;     /* why it is not the best GPU though `auto` was asked; else NULL */
    gboolean refused;     /* whether @note is of a GPU that there is, worth a warning */
} PixDeviceInfo;

PIX_API const PixDeviceInfo *pix_device_get_info(const PixDevice *device);

/**
 * pix_device_reopen:
 * After %PIX_ERROR_DEVICE_LOST: the processor of @device once more, for models to be loaded on anew.
 * What uses @device keeps it, and fails. Whether @device was lost is not asked.
 * Returns: (transfer full): as of pix_device_open(), with @device's number of threads and in its place
 * for pix_device_fallback(). Errors: those of pix_device_open(); %PIX_ERROR_UNSUPPORTED for the CPU.
 */
PIX_API PixDevice *pix_device_reopen(PixDevice *device, GError **error);

/**
 * pix_device_fallback:
 * What may take over where @device fails: the CPU, if `auto` chose @device and @reason is such that
 * another device may do better: %PIX_ERROR_NO_MEMORY, %PIX_ERROR_UNSUPPORTED or
 * %PIX_ERROR_DEVICE_LOST. Its note is @reason's text. A device that the user named fails.
 * Returns: (transfer full) (nullable): a device for models to be loaded on anew.
 */
PIX_API PixDevice *pix_device_fallback(PixDevice *device, const GError *reason);

/** PixPeak: what a device can do at most. */
typedef struct {
    double gflops; /* 10^9 float32 operations a second; a multiply-add is two */
    double gbytes; /* 10^9 bytes a second of memory that caches do not hold: read, on a GPU read
                      and written; 0 where there is too little of it to measure that */
    const char
        *level; /* whose multiply-adds: the device's; on the CPU for "c" and "openblas", whose
                          code may use any, the best that it has */
} PixPeak;

/**
 * pix_device_measure:
 * Measures @peak (out) with two small loads, on all of the device's threads, which takes some
 * hundredths of a second on a GPU and some tenths on the CPU.
 * Errors: %PIX_ERROR_NO_MEMORY, %PIX_ERROR_DEVICE_LOST.
 */
PIX_API gboolean pix_device_measure(PixDevice *device, PixPeak *peak, GError **error);

/* ---- checkpoints ---- */

/**
 * PixCheckpoint:
 * A file of weights: `.safetensors` of our own, PyTorch `.pth` (zip and legacy), `.pict`. Opening
 * one reads its directory, recognises the network from names and shapes and checks every tensor
 * against it; nothing in it is ever executed. Thread-safety: one thread at a time.
 */
typedef struct PixCheckpoint PixCheckpoint;

/**
 * pix_checkpoint_open:
 * @file: a path, in the file system's encoding.
 * @domain: (nullable): which generator, where the file holds several; the error lists them.
 *
 * Errors: %PIX_ERROR_NOT_FOUND, %PIX_ERROR_IO, %PIX_ERROR_BAD_CHECKPOINT, %PIX_ERROR_UNSUPPORTED.
 */
PIX_API PixCheckpoint *pix_checkpoint_open(const char *file, const char *domain, GError **error);
PIX_API void pix_checkpoint_free(PixCheckpoint *checkpoint); /* accepts NULL */

/** PixTensorInfo: one parameter of the network, under its name in the native layout. */
typedef struct {
    const char *name;   /* "model.model.0.weight" */
    const char *source; /* its name in the file */
    const char *dtype;  /* as the file stores it: "F32", "F16", "BF16", "I8", "F64" */
    int rank;
    gint64 dims[4];
} PixTensorInfo;

/** PixModelInfo: what a checkpoint is. Strings belong to the object that it was asked of. */
typedef struct {
    const char *architecture; /* "unet_256", "resnet_9blocks", "patchgan_3", "pixelgan", ... */
    const char *layout;       /* where it comes from: "native", "junyanz", "mmgeneration", "cryer",
                                 "affinelayer" */
    const char *container;    /* "safetensors", "pytorch-zip", "pytorch-legacy", "pict" */
    const char *norm;         /* "batch", "instance", "none" */
    gboolean is_generator;    /* FALSE for discriminators */
    int in_channels,
        out_channels;  /* 3 is RGB in [-1, 1], whatever order the file was trained in; 1 is grey */
    int width, height; /* the size that it was made for; others work within the next two */
    int multiple;      /* sides must be multiples of this */
    int minimum;       /* and at least this */
    gboolean has_dropout;
    gboolean has_running_statistics;
    PixStatistics statistics; /* what AUTO means for it */
    guint64 parameters;       /* number of trainable values */
    guint64 weight_bytes;     /* in the engine's memory; of a checkpoint as FP32 */
    PixPrecision precision;   /* of the convolution weights in the file; FP32 for foreign ones */
    const char *mix; /* what AUTO means where convolutions can differ, see pix_checkpoint_set_mix():
                        "fp32 int8 bf16", one word each; NULL: the file says nothing */
    double mix_psnr; /* what that costs: dB of the worst picture against FP32, */
    guint mix_pictures; /* of so many; both 0 without a mix */
} PixModelInfo;

PIX_API const PixModelInfo *pix_checkpoint_get_info(const PixCheckpoint *checkpoint);
PIX_API guint pix_checkpoint_get_n_tensors(const PixCheckpoint *checkpoint);
PIX_API const PixTensorInfo *pix_checkpoint_get_tensor(const PixCheckpoint *checkpoint,
                                                       guint index);
/**
 * pix_checkpoint_count_bad_values:
 * Reads every tensor. @count: (out): how many values are NaN, infinite or negative variances; a
 * model with any is refused by pix_model_new().
 */
PIX_API gboolean pix_checkpoint_count_bad_values(PixCheckpoint *checkpoint, guint64 *count,
                                                 GError **error);
/** pix_checkpoint_get_metadata: Returns: (transfer none): string to string, what the file says of
 * itself. */
PIX_API GHashTable *pix_checkpoint_get_metadata(const PixCheckpoint *checkpoint);
/** pix_checkpoint_get_notes: Returns: (transfer none): %NULL-terminated lines on what the import
 * left out or assumed. */
PIX_API const char *const *pix_checkpoint_get_notes(const PixCheckpoint *checkpoint);

/**
 * pix_checkpoint_set_mix:
 * Says in which precision each convolution makes its products where a model of @checkpoint, opened
 * anew or from the file that is saved, is asked for AUTO on a CPU that gains by it.
 * @mix: (nullable): FP32, BF16 or INT8, as of PixSessionOptions; %NULL leaves the file without one, and
 * what follows is 0.  @psnr: from 0 to 999, in dB: that of the worst of so many @pictures, at least 1,
 * against FP32.
 */
PIX_API void pix_checkpoint_set_mix(PixCheckpoint *checkpoint, const PixPrecision *mix, double psnr,
                                    guint pictures);

/**
 * pix_checkpoint_save:
 * Writes the native format (engine/io/checkpoint-format.md) beside @file, flushes it to the disk
 * and renames it, so that
 * @file is whole or untouched. The bytes are a function of weights, mix and @precision alone. The mix
 * was measured with these weights: it goes with them into FP32 and the file's own precision, and is left
 * out of others, for which weights are rounded.
 */
PIX_API gboolean pix_checkpoint_save(PixCheckpoint *checkpoint, const char *file,
                                     PixPrecision precision, GError **error);

/* ---- models ---- */

/**
 * PixModel:
 * A network with its weights on a device. Thread-safety: immutable; use and ref from any thread.
 */
typedef struct PixModel PixModel;

/**
 * pix_model_find:
 * @name: a path, or the name of a model: looked up as NAME and NAME.safetensors in the folders of
 * `PIX2PIX_MODEL_PATH`, then in pix2pix/models of the XDG data folders; `facades` is compiled into
 * the library as well.
 *
 * Returns: (transfer full): the path; the empty string for the compiled-in model. Errors:
 * %PIX_ERROR_NOT_FOUND.
 */
PIX_API char *pix_model_find(const char *name, GError **error);

/**
 * pix_model_load:
 * @name: as pix_model_find().  @domain: as pix_checkpoint_open().  @precision: as pix_model_new().
 * Errors: those of all three, and %PIX_ERROR_UNSUPPORTED for a discriminator.
 */
PIX_API PixModel *pix_model_load(PixDevice *device, const char *name, const char *domain,
                                 PixPrecision precision, GError **error);

/**
 * pix_model_new:
 * As pix_model_load(), from an open checkpoint; discriminators are accepted here. Holds one copy of
 * the weights in @precision, whatever the file has, and so do sessions hold maps: float16 takes half
 * the memory, and a frame differs from float32's by about one step of 255. Sums, statistics and
 * vectors are float32 always. The CPU holds float32; there @precision is that of products, and AUTO the
 * file's mix, if it has one (see pix_checkpoint_set_mix()). Errors: %PIX_ERROR_NO_MEMORY,
 * %PIX_ERROR_BAD_CHECKPOINT for weights with NaN or infinite values, %PIX_ERROR_IO, and
 * %PIX_ERROR_UNSUPPORTED for what the device cannot compute in, naming what it can.
 */
PIX_API PixModel *pix_model_new(PixDevice *device, PixCheckpoint *checkpoint,
                                PixPrecision precision, GError **error);
PIX_API PixModel *pix_model_ref(PixModel *model);
PIX_API void pix_model_unref(PixModel *model); /* accepts NULL */
PIX_API const PixModelInfo *pix_model_get_info(const PixModel *model);
PIX_API PixDevice *pix_model_get_device(PixModel *model); /* (transfer none) */
/** pix_model_get_precision: What its weights are kept in, or on the CPU, which keeps them in float32,
 * its products made in; AUTO: each convolution's in that of the file's mix, where it gains by that. */
PIX_API PixPrecision pix_model_get_precision(const PixModel *model);

/** pix_model_get_n_convolutions: How many layers have kernels; see PixSessionOptions. */
PIX_API guint pix_model_get_n_convolutions(const PixModel *model);

/**
 * pix_model_check_size:
 * Whether the network can take frames of @width x @height. Errors: %PIX_ERROR_BAD_SHAPE says what
 * it can take.
 */
PIX_API gboolean pix_model_check_size(const PixModel *model, int width, int height, GError **error);

/* ---- images ---- */

/**
 * pix_image_blend:
 * result = source + strength (result - source), on every channel that @result names, rounded to
 * nearest.
 * @source, @result: of one size and number of channels.  @strength: [0, 1].
 */
PIX_API void pix_image_blend(const PixImage *source, PixImage *result, double strength);

/** pix_image_copy: Copies the channels that @destination names from those of @source, of the same
 * size and number. */
PIX_API void pix_image_copy(const PixImage *source, PixImage *destination);

/** pix_video_from_image: @video: (out): the same pixels, seen as a video frame. */
PIX_API void pix_video_from_image(const PixImage *image, PixVideo *video);

/* ---- sessions ---- */

/**
 * PixSession:
 * A model at one frame size, with all the memory that frames need: nothing is allocated once
 * pix_session_prepare() or a first frame of the same layout has told how frames lie. Thread-safety: one
 * thread at a time; different sessions of one model or device may run at once.
 */
typedef struct PixSession PixSession;

typedef struct {
    int n;             /* samples in the batch; images want 1 */
    int width, height; /* of the network's input */
    PixRect content; /* where images lie in it, the rest being filled with their border pixels; all
                        zero: everywhere */
    PixStatistics statistics;
    PixDropout dropout;
    guint64 seed;            /* of the dropout masks */
    guint in_flight;         /* 1 to 4: how many frames may have been submitted and not received */
    const PixPrecision *mix; /* (nullable): FP32, BF16 or INT8 for the products of each convolution,
                                pix_model_get_n_convolutions() of them in the order in which they run;
                                %NULL: as the model has it. Only the CPU can. */
} PixSessionOptions;

/** pix_session_options_init: One sample at the model's own size, automatic statistics, frozen
 * dropout, seed 0, one frame in flight. */
PIX_API void pix_session_options_init(PixSessionOptions *options, const PixModel *model);

/**
 * pix_session_new:
 * On the CPU a session also holds, beside the model's own, weights of some layers in the form that its
 * products want: up to four times as many bytes as those layers have in float32; the session of a
 * network that learns makes them anew for each frame. Errors: %PIX_ERROR_BAD_SHAPE,
 * %PIX_ERROR_NO_MEMORY, %PIX_ERROR_DEVICE_LOST, and %PIX_ERROR_UNSUPPORTED for what the device
 * cannot do and for running statistics of a batch-norm model whose file has none.
 */
PIX_API PixSession *pix_session_new(PixModel *model, const PixSessionOptions *options,
                                    GError **error);
PIX_API void pix_session_free(PixSession *session); /* accepts NULL */

/**
 * pix_session_translate:
 * Translates one image: submits and receives it, while nothing is in flight. Values map as
 * v / 127.5 - 1 and back, rounded to nearest. @in and @out have the size of the options' content, the
 * model's channel counts, and may be the same memory. Errors:
 * %PIX_ERROR_BAD_SHAPE where the network's output has another size than its input,
 * %PIX_ERROR_BAD_CHECKPOINT where its numbers overflow, %PIX_ERROR_DEVICE_LOST, and those of
 * pix_session_prepare() where images lie otherwise than the last one.
 */
PIX_API gboolean pix_session_translate(PixSession *session, const PixImage *in, PixImage *out,
                                       GError **error);

/**
 * pix_session_takes:
 * Whether frames of the layout of @video, whose data and strides do not matter, can be submitted or
 * received as they are. Every device takes interleaved images in the size of the content; a GPU
 * takes any layout and any size, which it scales.
 */
PIX_API gboolean pix_session_takes(const PixSession *session, const PixVideo *video);

/**
 * pix_session_prepare:
 * Says how frames lie from here on, and takes the memory for them; what was in flight is discarded.
 * @in, @out: layouts; their data and strides do not matter. Errors: %PIX_ERROR_UNSUPPORTED for what
 * pix_session_takes() does not let pass, %PIX_ERROR_NO_MEMORY and those of pix_session_translate().
 */
PIX_API gboolean pix_session_prepare(PixSession *session, const PixVideo *in, const PixVideo *out,
                                     GError **error);

/** pix_session_get_in_flight: How many frames may be in flight: what the options said on a GPU, 1 on
 * the CPU, where submitting does all the work. */
PIX_API guint pix_session_get_in_flight(const PixSession *session);

/**
 * pix_session_submit:
 * Starts the translation of @in, which lies as pix_session_prepare() was told; returns when it has
 * been read. There must be room in flight. Errors: %PIX_ERROR_DEVICE_LOST, %PIX_ERROR_NO_MEMORY.
 */
PIX_API gboolean pix_session_submit(PixSession *session, const PixVideo *in, GError **error);

/**
 * pix_session_receive:
 * Waits for the frame that was submitted first, and writes it to @out. There must be one. Errors: as
 * pix_session_translate(); that frame is no longer in flight then.
 */
PIX_API gboolean pix_session_receive(PixSession *session, const PixVideo *out, GError **error);

/** pix_session_discard: Forgets all frames in flight; waits until nothing works on them. */
PIX_API void pix_session_discard(PixSession *session);

/**
 * pix_session_forward:
 * Runs the network on a batch of tensors. @x: (n,c,h,w) float32.  @y: of pix_session_get_output(),
 * row-major, NCHW.
 */
PIX_API gboolean pix_session_forward(PixSession *session, const float *x, float *y, GError **error);
/** pix_session_get_output: @dims: (out): n, c, h, w of the output. */
PIX_API void pix_session_get_output(const PixSession *session, int dims[4]);
/** pix_session_restart: Goes back to frame 0, so that fresh dropout repeats itself. */
PIX_API void pix_session_restart(PixSession *session);

/** PixLayerTime: where a frame's time went: one row of the network as the device runs it. */
typedef struct {
    const char
        *name; /* "model.model.1.model.1: conv 64x128x128 -> 128x64x64, k4 s2 p1, leaky_relu" */
    const char *algorithm;  /* "gemm-avx512" */
    const char *reason;     /* why that one: "its precision"; NULL: no choice, or not here */
    PixPrecision precision; /* of its products; AUTO: it has no kernel */
    double ms;              /* of the last frame */
    double
        flops; /* floating-point operations that its arithmetic asks for (a multiply-add is two) */
    double bytes; /* the least to be read and written: weights, inputs and outputs once each; 0 for
                     what the device need not do */
    /* Of a GPU: what it is asked for; bytes are those of maps and weights that its shaders see. */
    guint dispatches;
    double read_bytes, written_bytes;
} PixLayerTime;

/** PixTimes: the milliseconds of the last frame that was received, stage by stage. Pixel stages are 0
 * after pix_session_forward(). On a GPU they are what it took itself, with the time to read the frame;
 * where it has no clock the network's is all that passed since. */
typedef struct {
    double pack_ms;    /* pixels to tensor */
    double network_ms; /* the layers */
    double unpack_ms;  /* tensor to pixels */
    guint n_layers;
    const PixLayerTime *layers; /* owned by the session */
} PixTimes;

PIX_API const PixTimes *pix_session_get_times(PixSession *session);
/**
 * pix_session_measure_layers:
 * Runs the network once more on the input of the last frame, for the times of its layers: a GPU does a
 * frame in one go, and tells them only when it is asked. Where the device has no clock they stay 0; on
 * the CPU, where each frame has them, nothing happens. Nothing may be in flight.
 * Errors: %PIX_ERROR_DEVICE_LOST, %PIX_ERROR_NO_MEMORY.
 */
PIX_API gboolean pix_session_measure_layers(PixSession *session, GError **error);
/** pix_session_get_bytes: Memory of this session, without the model's weights. */
PIX_API guint64 pix_session_get_bytes(const PixSession *session);

/* ---- tensors in files ---- */

/**
 * pix_tensor_read:
 * Reads one tensor of a safetensors file as float32, row-major. @dims: (out): missing leading
 * dimensions are 1. Returns: (transfer full): its values, for g_free(). Errors: as
 * pix_checkpoint_open().
 */
PIX_API float *pix_tensor_read(const char *file, const char *name, int dims[4], GError **error);
/** pix_tensor_write: Writes a safetensors file with one float32 tensor, as pix_checkpoint_save()
 * does. */
PIX_API gboolean pix_tensor_write(const char *file, const char *name, const float *values,
                                  const int dims[4], GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PixDevice, pix_device_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PixCheckpoint, pix_checkpoint_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PixModel, pix_model_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PixSession, pix_session_free)

G_END_DECLS

#endif
