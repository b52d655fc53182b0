/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkpoint-metadata.h"

#include <string.h>

#include "error.h"
#include "mix.h"

#define VERSION_KEY "pix2pix.format"
#define VERSION_MAJOR 1
#define VERSION_TEXT "1.0"
#define MIX_KEY "pix2pix.mix"
#define MIX_PSNR_KEY "pix2pix.mix_psnr"
#define MIX_VERSION_TEXT "1.1" /* of files with these two; others are as they were */

/* Files of a few bytes must not ask for gigabytes of activations. */
#define MAX_FRAME_SIDE 16384

typedef enum { FIELD_NUMBER, FIELD_BOOL, FIELD_WORD } FieldKind;

/** A key and where its value stands in the record that both directions share. */
typedef struct {
    const char *key;
    FieldKind kind;
    size_t offset;
    const char *const *words; /* FIELD_WORD: by value; NULL-terminated */
} Field;

/** All that the metadata says. Enumerations are read and written as ints. */
typedef struct {
    PixArch arch;
    PixSettings settings;
    int colours;
} Record;

G_STATIC_ASSERT(sizeof(PixArchKind) == sizeof(int) && sizeof(PixNormKind) == sizeof(int) &&
                sizeof(PixPadMode) == sizeof(int) && sizeof(PixStatistics) == sizeof(int) &&
                sizeof(PixPrecision) == sizeof(int));

static const char *const architectures[] = {
    [PIX_ARCH_UNET] = "unet",
    [PIX_ARCH_RESNET] = "resnet",
    [PIX_ARCH_CRYER_UNET] = "cryer-unet",
    [PIX_ARCH_PATCHGAN] = "patchgan",
    [PIX_ARCH_PIXELGAN] = "pixelgan",
    [PIX_ARCH_CRYER_PATCHGAN] = "cryer-patchgan",
    [PIX_ARCH_COUNT] = NULL,
};
static const char *const pads[] = {[PIX_PAD_ZERO] = "zero",
                                   [PIX_PAD_REFLECT] = "reflect",
                                   [PIX_PAD_REPLICATE] = "replicate",
                                   NULL};
static const char *const all_statistics[] = {
    /* AUTO is never written: a file knows what it wants. */
    [PIX_STATISTICS_AUTO] = "",
    [PIX_STATISTICS_FRAME] = "frame",
    [PIX_STATISTICS_RUNNING] = "running",
    NULL};
static const char *const precisions[] = {[PIX_PRECISION_AUTO] = "", /* as of AUTO above */
                                         [PIX_PRECISION_FP32] = "fp32",
                                         [PIX_PRECISION_FP16] = "fp16",
                                         [PIX_PRECISION_BF16] = "bf16",
                                         [PIX_PRECISION_INT8] = "int8",
                                         NULL};
static const char *const colour_orders[] = {"rgb", NULL};

#define NUMBER(key, member)                                                                        \
    {                                                                                              \
        "pix2pix." key, FIELD_NUMBER, offsetof(Record, member), NULL                               \
    }
#define BOOL(key, member)                                                                          \
    {                                                                                              \
        "pix2pix." key, FIELD_BOOL, offsetof(Record, member), NULL                                 \
    }
#define WORD(key, member, words)                                                                   \
    {                                                                                              \
        "pix2pix." key, FIELD_WORD, offsetof(Record, member), words                                \
    }

static const Field fields[] = {
    WORD("architecture", arch.kind, architectures),
    NUMBER("in_channels", arch.in_channels),
    NUMBER("out_channels", arch.out_channels),
    NUMBER("filters", arch.filters),
    NUMBER("depth", arch.depth),
    WORD("norm", arch.norm, pix_norm_names),
    BOOL("affine", arch.affine),
    BOOL("running", arch.running),
    BOOL("bias", arch.bias),
    BOOL("skips", arch.skips),
    BOOL("inner_norm", arch.inner_norm),
    BOOL("dropout", arch.dropout),
    WORD("pad", arch.pad, pads),
    WORD("statistics", settings.statistics, all_statistics),
    NUMBER("width", settings.width),
    NUMBER("height", settings.height),
    WORD("colours", colours, colour_orders),
    WORD("precision", settings.precision, precisions),
};

bool pix_metadata_is_native(GHashTable *metadata)
{
    return metadata && g_hash_table_contains(metadata, VERSION_KEY);
}

static bool bad_value(const char *key, const char *value, const char *expected, GError **error)
{
    g_autofree char *shown = g_strndup(value, 40);
    g_autofree char *escaped = g_strescape(shown, NULL);
    return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "metadata %s is \"%s\", expected %s", key,
                    escaped, expected);
}

static bool read_field(const Field *field, const char *value, Record *record, GError **error)
{
    void *target = (char *)record + field->offset;
    guint64 number;
    switch (field->kind) {
    case FIELD_NUMBER:
        if (!g_ascii_string_to_unsigned(value, 10, 0, PIX_MAX_SIDE, &number, NULL))
            return bad_value(field->key, value, "a number up to 1048576", error);
        *(int *)target = (int)number;
        return true;
    case FIELD_BOOL:
        if (strcmp(value, "true") && strcmp(value, "false"))
            return bad_value(field->key, value, "true or false", error);
        *(bool *)target = *value == 't';
        return true;
    case FIELD_WORD:
        for (int i = 0; field->words[i]; i++) {
            if (*value && !strcmp(value, field->words[i])) {
                *(int *)target = i;
                return true;
            }
        }
        g_autofree char *list = g_strjoinv(", ", (char **)field->words);
        g_autofree char *expected =
            g_strdup_printf("one of: %s", g_str_has_prefix(list, ", ") ? list + 2 : list);
        return bad_value(field->key, value, expected, error);
    }
    g_assert_not_reached();
}

static bool is_missing(const char *key, GError **error)
{
    return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "metadata %s is missing", key);
}

static bool check_version(const char *version, GError **error)
{
    char *end;
    guint64 major = g_ascii_strtoull(version, &end, 10);
    g_autofree char *shown = g_strndup(version, 20);
    g_autofree char *escaped = g_strescape(shown, NULL);
    if (end == version || *end != '.' || !g_ascii_isdigit(end[1]) || !major)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                        "metadata " VERSION_KEY " is \"%s\", expected " VERSION_TEXT, escaped);
    if (major > VERSION_MAJOR)
        return pix_fail(error, PIX_ERROR_UNSUPPORTED,
                        "written in version %s of the format, this library reads version %d: use "
                        "a later one",
                        escaped, VERSION_MAJOR);
    return true;
}

static bool check_depth(const PixArch *arch, GError **error)
{
    PixArch usual;
    pix_arch_init(&usual, arch->kind);
    return usual.depth || !arch->depth ||
           pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                    "metadata pix2pix.depth is \"%d\", but a %s has no depth: expected 0",
                    arch->depth, architectures[arch->kind]);
}

static bool check_norm(const PixArch *arch, const PixSettings *settings, GError **error)
{
    if (arch->running && arch->norm != PIX_NORM_BATCH)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                        "metadata says running statistics, but only batch norm has them");
    if (settings->statistics == PIX_STATISTICS_RUNNING && !arch->running)
        return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                        "metadata asks for running statistics, but says that there are none");
    return true;
}

static bool check_size(const PixArch *arch, const PixSettings *settings, GError **error)
{
    int multiple = pix_arch_multiple(arch), minimum = pix_arch_minimum(arch);
    int maximum = MAX(MAX_FRAME_SIDE, multiple);
    const int sides[] = {settings->width, settings->height};
    for (int i = 0; i < 2; i++)
        if (sides[i] < minimum || sides[i] > maximum || sides[i] % multiple)
            return pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                            "metadata says %dx%d, but the network takes multiples of %d from %d to "
                            "%d",
                            sides[0], sides[1], multiple, minimum, maximum);
    return true;
}

bool pix_metadata_read(GHashTable *metadata, PixArch *arch, PixSettings *settings, GError **error)
{
    Record record = {0};
    if (!check_version(g_hash_table_lookup(metadata, VERSION_KEY), error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        const char *value = g_hash_table_lookup(metadata, fields[i].key);
        if (!value)
            return is_missing(fields[i].key, error);
        if (!read_field(&fields[i], value, &record, error))
            return false;
    }
    *arch = record.arch;
    *settings = record.settings;
    return check_depth(arch, error) && pix_arch_check(arch, error) &&
           check_norm(arch, settings, error) && check_size(arch, settings, error);
}

static char *print_psnr(const PixMeasured *measured)
{
    char psnr[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(psnr, sizeof psnr, "%.2f", measured->psnr);
    return g_strdup_printf("%s %u", psnr, measured->pictures);
}

/* Whatever is not written in the one way that a writer has is refused. */
static bool read_psnr(const char *text, PixMeasured *measured)
{
    char *end;
    measured->psnr = g_ascii_strtod(text, &end);
    measured->pictures = (guint)g_ascii_strtoull(end, NULL, 10);
    g_autofree char *again = print_psnr(measured);
    return measured->psnr >= 0 && measured->psnr <= PIX_MAX_PSNR && measured->pictures > 0 &&
           strcmp(text, again) == 0;
}

bool pix_metadata_read_mix(GHashTable *metadata, guint n, PixMeasured *measured, GError **error)
{
    const char *mix = g_hash_table_lookup(metadata, MIX_KEY);
    const char *psnr = g_hash_table_lookup(metadata, MIX_PSNR_KEY);
    *measured = (PixMeasured){0};
    if (!mix && !psnr)
        return true;
    if (!mix || !psnr)
        return is_missing(mix ? MIX_PSNR_KEY : MIX_KEY, error);
    g_autofree PixPrecision *each = g_new(PixPrecision, n);
    g_autofree char *expected = g_strdup_printf("%u words: fp32, bf16 or int8 each", n);
    if (!pix_mix_parse(mix, each, n))
        return bad_value(MIX_KEY, mix, expected, error);
    if (!read_psnr(psnr, measured))
        return bad_value(MIX_PSNR_KEY, psnr, "decibels and a number of pictures as in 41.50 100",
                         error);
    measured->mix = g_strdup(mix);
    return true;
}

static char *field_text(const Field *field, const Record *record)
{
    const void *source = (const char *)record + field->offset;
    switch (field->kind) {
    case FIELD_NUMBER:
        return g_strdup_printf("%d", *(const int *)source);
    case FIELD_BOOL:
        return g_strdup(*(const bool *)source ? "true" : "false");
    case FIELD_WORD:
        return g_strdup(field->words[*(const int *)source]);
    }
    g_assert_not_reached();
}

GHashTable *pix_metadata_new(const PixArch *arch, const PixSettings *settings,
                             const PixMeasured *measured)
{
    bool mixed = measured && measured->mix;
    const Record record = {.arch = *arch, .settings = *settings};
    GHashTable *metadata = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    g_hash_table_insert(metadata, (gpointer)VERSION_KEY,
                        g_strdup(mixed ? MIX_VERSION_TEXT : VERSION_TEXT));
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        g_hash_table_insert(metadata, (gpointer)fields[i].key, field_text(&fields[i], &record));
    if (mixed) {
        g_hash_table_insert(metadata, (gpointer)MIX_KEY, g_strdup(measured->mix));
        g_hash_table_insert(metadata, (gpointer)MIX_PSNR_KEY, print_psnr(measured));
    }
    return metadata;
}
