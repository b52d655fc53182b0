/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which format a file has, by its content alone: names and extensions say what somebody wants us to
 * believe. */
#include "container-private.h"

#include "checked.h"
#include "error.h"

#include <string.h>

#define HEAD 4096

/* Formats that people try, and what to do about each. The first match counts. */
static const struct {
    const char *bytes;
    guint16 length, offset;
    const char *text;
} strangers[] = {
    {"PYTORCH1", 8, 0,
     "is a PyTorch file of a 2018 preview format; load and save it again with PyTorch 1.0 or "
     "newer"},
    {"L119547037146038801333356L\n.", 28, 0,
     "is a PyTorch file of pickle protocol 0 or 1; save it again with pickle_protocol=2"},
    {"\x80\x02\x8a\x0a", 4, 0, "is a Python pickle, but its magic number is not PyTorch's"},
    {"\x80\x02", 2, 0,
     "is a Python pickle that torch.save did not write; save the weights with "
     "torch.save(model.state_dict(), file)"},
    {"\x80\x03", 2, 0, "is a Python pickle that torch.save did not write"},
    {"\x80\x04", 2, 0, "is a Python pickle that torch.save did not write"},
    {"\x80\x05", 2, 0, "is a Python pickle that torch.save did not write"},
    {"\x04\0\0\0\x01\0\0\0", 8, 0,
     "looks like a Torch7 .t7 file, which is not read; convert it to .pth first"},
    {"\x89HDF", 4, 0,
     "is HDF5 (a Keras .h5), which is not read; pix2pix weights come as .pth, "
     ".safetensors or .pict"},
    {"GGUF", 4, 0, "is GGUF, which is not read"},
    {"\x1f\x8b", 2, 0, "is compressed with gzip; unpack it first"},
    {"BZh", 3, 0, "is compressed with bzip2; unpack it first"},
    {"\xfd"
     "7zXZ",
     5, 0, "is compressed with xz; unpack it first"},
    {"version https://git-lfs", 23, 0,
     "is a Git LFS pointer, not the file itself; run 'git lfs pull'"},
    {"<", 1, 0, "is a web page or other markup; the download went wrong, get the file again"},
    {"\x89PNG", 4, 0, "is a picture"},
    {"\xff\xd8\xff", 3, 0, "is a picture"},
    {"ustar", 5, 257,
     "is a tar archive; if torch.save of PyTorch 0.1 wrote it, load it with PyTorch and save it "
     "again: torch.save(torch.load('old.pth'), 'new.pth'); else unpack it"},
};

static bool starts(const guint8 *head, size_t n, size_t offset, const void *bytes, size_t length)
{
    return offset + length <= n && memcmp(head + offset, bytes, length) == 0;
}

/* A pickle of PyTorch's magic number, of any protocol: from 4 on in a frame, whose length follows. */
static bool is_legacy(const guint8 *head, size_t n)
{
    static const guint8 magic[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9,
                                   0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e};
    enum { START = 2, FRAME = 9 };
    bool framed = n > START && head[START] == 0x95;
    return n > START && head[0] == 0x80 &&
           starts(head, n, framed ? START + FRAME : START, magic, sizeof magic);
}

static bool is_safetensors(const guint8 *head, size_t n)
{
    size_t i = 8;
    while (i < n && (head[i] == ' ' || head[i] == '\t' || head[i] == '\n' || head[i] == '\r'))
        i++;
    return i < n && head[i] == '{';
}

static bool is_pict(const guint8 *head, size_t n, guint64 size)
{
    if (n < 5 || head[4] != '[')
        return false;
    guint32 length;
    memcpy(&length, head, sizeof length);
    return pix_checked_inside(4, GUINT32_FROM_BE(length), size);
}

/* Whether a zip reader would take the end of the file for a zip's. The comment's length must lead
 * exactly to the end, or one weight file in 65536 would be refused for its random bytes. */
static bool ends_as_zip(const PixReader *reader, bool *is_zip, GError **error)
{
    enum { END = 22 };
    guint64 n = MIN(reader->size, END + G_MAXUINT16);
    *is_zip = false;
    if (n < END)
        return true;
    g_autofree guint8 *tail = pix_reader_load(reader, reader->size - n, n, error);
    if (!tail)
        return false;
    for (size_t i = 0; i + END <= n && !*is_zip; i++)
        *is_zip = memcmp(tail + i, "PK\5\6", 4) == 0 &&
                  (size_t)(tail[i + 20] | tail[i + 21] << 8) == n - END - i;
    return true;
}

static const PixFormat *pick(const guint8 *head, size_t n, guint64 size)
{
    if (starts(head, n, 0, "PK\3\4", 4) || starts(head, n, 0, "PK\5\6", 4))
        return &pix_format_pth_zip;
    if (is_legacy(head, n))
        return &pix_format_pth_legacy;
    if (is_pict(head, n, size))
        return &pix_format_pict;
    return is_safetensors(head, n) ? &pix_format_safetensors : NULL;
}

const PixFormat *pix_sniff(const PixReader *reader, GError **error)
{
    size_t n = (size_t)MIN(reader->size, HEAD);
    if (n == 0) {
        pix_fail(error, PIX_ERROR_BAD_CHECKPOINT, "is empty; get the file again");
        return NULL;
    }
    g_autofree guint8 *head = pix_reader_load(reader, 0, n, error);
    if (!head)
        return NULL;

    const PixFormat *format = pick(head, n, reader->size);
    if (format && format != &pix_format_pth_zip) {
        bool is_zip;
        if (!ends_as_zip(reader, &is_zip, error))
            return NULL;
        if (is_zip) {
            pix_fail(error, PIX_ERROR_BAD_CHECKPOINT,
                     "starts as %s and ends as a zip archive; such a file means different things "
                     "to different programs and is refused",
                     format->name);
            return NULL;
        }
    }
    if (format)
        return format;

    for (size_t i = 0; i < G_N_ELEMENTS(strangers); i++)
        if (starts(head, n, strangers[i].offset, strangers[i].bytes, strangers[i].length)) {
            pix_fail(error, PIX_ERROR_UNSUPPORTED, "%s", strangers[i].text);
            return NULL;
        }
    pix_fail(
        error, PIX_ERROR_BAD_CHECKPOINT,
        "is no file of weights: neither .safetensors nor PyTorch .pth nor .pict (%" G_GUINT64_FORMAT
        " bytes, the first ones %02x %02x %02x %02x)",
        reader->size, head[0], n > 1 ? head[1] : 0, n > 2 ? head[2] : 0, n > 3 ? head[3] : 0);
    return NULL;
}
