/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Pictures to and from maps, in a recording: the picture's bytes are copied when it is submitted and
 * when it is waited for, shaders do all else.
 */
#include "vk-ops.h"
#include "vk-picture.h"

/** Push: that of shaders/pixels.glsl. */
typedef struct {
    uint32_t w;
    VulkanPlace map;
    int32_t left, top;
    uint32_t content_w, content_h;
    uint32_t width, height;
    uint32_t channels, components, planes;
    uint32_t converts, x_cosited, y_cosited;
    uint32_t count;
} Push;

/** Layout: that of shaders/pixels.glsl. */
typedef struct {
    uint32_t planes[3][4];
    uint32_t where[4][4];
    uint32_t shift[4][4];
    float matrix[3][4];
} Layout;

/** Job: a picture's way; lives as long as the recording. */
typedef struct {
    VulkanPicture *picture;
    Layout layout;
} Job;

enum { PLAIN = 10, N_CONSTANTS };

/* ---- what shaders are told ---- */

static Push push_of(const PixTensor *tensor, const PixVideo *video, PixRect content)
{
    return (Push){.w = (uint32_t)tensor->shape.w,
                  .map = vk_place(tensor),
                  .left = content.x,
                  .top = content.y,
                  .content_w = (uint32_t)content.width,
                  .content_h = (uint32_t)content.height,
                  .width = (uint32_t)video->width,
                  .height = (uint32_t)video->height,
                  .channels = (uint32_t)tensor->shape.c,
                  .components = (uint32_t)video->n_components,
                  .planes = (uint32_t)video->n_planes,
                  .converts = (uint32_t)video->converts,
                  .x_cosited = (uint32_t)video->x_cosited,
                  .y_cosited = (uint32_t)video->y_cosited};
}

static Layout layout_of(const VulkanPicture *picture)
{
    const PixVideo *video = &picture->layout;
    Layout layout = {0};
    for (int i = 0; i < video->n_planes; i++) {
        layout.planes[i][0] = (uint32_t)(picture->at[i] / 4);
        layout.planes[i][1] = (uint32_t)(picture->pitch[i] / 4);
    }
    for (int i = 0; i < video->n_components; i++) {
        const PixComponent *c = &video->components[i];
        const uint32_t where[] = {(uint32_t)picture->at[c->plane] + (uint32_t)c->offset,
                                  (uint32_t)picture->pitch[c->plane], (uint32_t)c->step,
                                  (uint32_t)c->plane};
        for (int j = 0; j < 4; j++)
            layout.where[i][j] = where[j];
        layout.shift[i][0] = (uint32_t)c->x_shift;
        layout.shift[i][1] = (uint32_t)c->y_shift;
    }
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++)
            layout.matrix[i][j] = video->matrix[i][j];
    return layout;
}

/* Every sample is a value of the map's. */
static bool is_plain(const PixVideo *video, PixRect content)
{
    bool plain =
        !video->converts && video->width == content.width && video->height == content.height;
    for (int i = 0; i < video->n_components; i++)
        plain = plain && !video->components[i].x_shift && !video->components[i].y_shift;
    return plain;
}

bool vk_takes(const PixDevice *device, const PixVideo *video, PixRect content)
{
    const VulkanGpu *gpu = ((const VulkanDevice *)device)->gpu;
    return vk_picture_bytes(video) <= gpu->properties.limits.maxStorageBufferRange;
}

/* ---- recording ---- */

static void job_free(void *data)
{
    Job *job = data;
    vk_picture_free(job->picture);
    g_free(job);
}

static void before(void *data)
{
    vk_picture_fetch(((Job *)data)->picture);
}

static bool after(void *data, GError **error)
{
    return vk_picture_deliver(((Job *)data)->picture, error);
}

/* With the recording from here on. */
static Job *add_job(VulkanDevice *device, const PixVideo *video, bool out, GError **error)
{
    VulkanPicture *picture = vk_picture_new(device->gpu, video, out, !device->simple, error);
    if (!picture)
        return NULL;
    Job *job = g_new0(Job, 1);
    job->picture = picture;
    job->layout = layout_of(picture);
    vk_commands_add_errand(device->recording, &(VulkanErrand){.before = out ? NULL : before,
                                                              .after = out ? after : NULL,
                                                              .free = job_free,
                                                              .data = job,
                                                              .bytes = vk_picture_memory(picture)});
    return job;
}

static VulkanBinding bind_planes(const VulkanPicture *picture, bool writes)
{
    return (VulkanBinding){picture->own, VK_PICTURE_HEAD, picture->bytes, writes};
}

static void run(PixDevice *device, VulkanDispatch *dispatch, const Job *job, Push *push,
                PixRect content, size_t count)
{
    push->count = (uint32_t)count;
    dispatch->constants[PLAIN] = is_plain(&job->picture->layout, content);
    dispatch->n_constants = N_CONSTANTS;
    dispatch->push = push;
    dispatch->push_bytes = sizeof *push;
    dispatch->varying = &job->layout;
    dispatch->varying_bytes = sizeof job->layout;
    vk_spread(dispatch, count);
    vk_dispatch(device, dispatch);
}

static bool pack(PixDevice *device, const PixTensor *tensor, const PixVideo *video, PixRect content,
                 GError **error)
{
    const Job *job = add_job(vk_device(device), video, false, error);
    if (!job)
        return false;
    const VulkanPicture *p = job->picture;
    if (p->own != p->host)
        vk_copy_bytes(device, p->host, VK_PICTURE_HEAD, p->own, VK_PICTURE_HEAD, p->bytes);
    Push push = push_of(tensor, video, content);
    VulkanDispatch dispatch = {.shader = VK_SHADER_PACK,
                               .bindings = {bind_planes(p, false), vk_bind(tensor, true)}};
    run(device, &dispatch, job, &push, content, (size_t)tensor->shape.h * (size_t)tensor->shape.w);
    return true;
}

static bool unpack(PixDevice *device, const PixTensor *tensor, const PixVideo *video,
                   PixRect content, GError **error)
{
    const Job *job = add_job(vk_device(device), video, true, error);
    if (!job)
        return false;
    const VulkanPicture *p = job->picture;
    Push push = push_of(tensor, video, content);
    VulkanDispatch dispatch = {.shader = VK_SHADER_UNPACK,
                               .bindings = {vk_bind(tensor, false),
                                            bind_planes(p, true),
                                            {p->own, 0, sizeof(uint32_t), true}}};
    vk_fill_bytes(device, p->own, 0, sizeof(uint32_t), 0);
    run(device, &dispatch, job, &push, content, p->bytes / 4);
    if (p->own != p->host)
        vk_copy_bytes(device, p->own, 0, p->host, 0, VK_PICTURE_HEAD + p->bytes);
    return true;
}

/* ---- the entries of the table ---- */

typedef bool (*Recorder)(PixDevice *device, const PixTensor *tensor, const PixVideo *video,
                         PixRect content, GError **error);

/* Where nobody is recording, a recording of its own. */
static bool at_once(PixDevice *device, Recorder recorder, const PixTensor *tensor,
                    const PixVideo *video, PixRect content, GError **error)
{
    if (!vk_device_record(device, error))
        return false;
    bool done = recorder(device, tensor, video, content, error);
    PixCommands *commands = vk_device_finish(device, done ? error : NULL);
    done = done && commands && vk_device_submit(device, commands, error) &&
           vk_commands_wait(commands, error);
    vk_commands_free(commands);
    return done;
}

static bool do_or_record(PixDevice *base, Recorder recorder, const PixTensor *tensor,
                         const PixVideo *video, PixRect content, GError **error)
{
    VulkanDevice *device = vk_device(base);
    g_rec_mutex_lock(&device->lock);
    bool done = device->recording ? recorder(base, tensor, video, content, error)
                                  : at_once(base, recorder, tensor, video, content, error);
    g_rec_mutex_unlock(&device->lock);
    return done;
}

bool vk_write_image(PixDevice *device, const PixTensor *tensor, const PixVideo *video,
                    PixRect content, GError **error)
{
    return do_or_record(device, pack, tensor, video, content, error);
}

bool vk_read_image(PixDevice *device, const PixTensor *tensor, const PixVideo *video,
                   PixRect content, GError **error)
{
    return do_or_record(device, unpack, tensor, video, content, error);
}
