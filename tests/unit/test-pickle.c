/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files.h"
#include "sanitized.h"

#include "torch-pickle.h"
#include "zip-data.h"

/* One run of the interpreter, on a block of exactly the pickle's size. */
typedef struct {
    guint8 *data;
    PickleMemory memory;
    GHashTable *storages;
    PickleValue value;
    size_t used;
    GError *error;
} Run;

static bool run(Run *r, const void *data, size_t size)
{
    *r = (Run){.data = g_memdup2(data, size), .storages = torch_storages_new()};
    pickle_memory_init(&r->memory);
    bool ok =
        torch_pickle_run(r->data, size, &r->memory, r->storages, &r->used, &r->value, &r->error);
    assert_true(ok == (r->error == NULL));
    assert_true(r->used <= size);
    assert_true(r->memory.total <= PICKLE_MAX_MEMORY);
    return ok;
}

static void clear(Run *r)
{
    pickle_memory_clear(&r->memory);
    g_hash_table_unref(r->storages);
    g_clear_error(&r->error);
    g_free(r->data);
}

static void refuse_as(PixError code, const void *data, size_t size, const char *text)
{
    Run r;
    if (run(&r, data, size))
        fail_msg("accepted, wanted '%s'", text);
    check_error(&r.error, code, text);
    clear(&r);
}

static void refuse(const void *data, size_t size, const char *text)
{
    refuse_as(PIX_ERROR_BAD_CHECKPOINT, data, size, text);
}

/* Literals with NUL in them. */
#define RUN(r, text) run(r, text, sizeof(text) - 1)
#define REFUSE(text, why) refuse(text, sizeof(text) - 1, why)
#define UNSUPPORTED(text, why) refuse_as(PIX_ERROR_UNSUPPORTED, text, sizeof(text) - 1, why)

#define TENSOR2 "ctorch._utils\n_rebuild_tensor_v2\n"
#define ORDERED "ccollections\nOrderedDict\n"

static void check_integer(const char *text, size_t size, gint64 wanted)
{
    Run r;
    assert_true(run(&r, text, size));
    assert_int_equal(r.value.type, PICKLE_INT);
    assert_true(r.value.integer == wanted);
    assert_int_equal(r.used, size);
    clear(&r);
}

static void test_integers(void **state)
{
#define INTEGER(text, wanted) check_integer("\x80\x02" text ".", sizeof(text) + 2, wanted)
    INTEGER("K\xff", 255);
    INTEGER("M\xff\xff", 65535);
    INTEGER("M\x01\x02", 513);
    INTEGER("J\xff\xff\xff\xff", -1);
    INTEGER("J\x00\x00\x00\x80", -G_GINT64_CONSTANT(2147483648));
    INTEGER("J\xff\xff\xff\x7f", 2147483647);
    INTEGER("\x8a\x00", 0);
    INTEGER("\x8a\x01\xff", -1);
    INTEGER("\x8a\x02\xff\x00", 255);
    INTEGER("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", G_MAXINT64);
    INTEGER("\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80", G_MININT64);
}

static void check_type(const char *text, size_t size, PickleType type, const char *words)
{
    Run r;
    if (!run(&r, text, size))
        fail_msg("%s", r.error->message);
    assert_int_equal(r.value.type, type);
    g_autofree char *found = pickle_describe(&r.value);
    assert_string_equal(found, words);
    clear(&r);
}

static void test_values(void **state)
{
#define TYPE(text, type, words) check_type("\x80\x02" text ".", sizeof(text) + 2, type, words)
    TYPE("N", PICKLE_NONE, "None");
    TYPE("\x88", PICKLE_BOOL, "a bool");
    TYPE("\x89", PICKLE_BOOL, "a bool");
    TYPE("G\x3f\xf0\0\0\0\0\0\0", PICKLE_FLOAT, "a number");
    TYPE("U\x02hi", PICKLE_STRING, "a string");
    TYPE("T\x02\0\0\0hi", PICKLE_STRING, "a string");
    TYPE("X\x02\0\0\0hi", PICKLE_STRING, "a string");
    TYPE("\x8c\x02hi", PICKLE_STRING, "a string");
    TYPE("C\x02hi", PICKLE_OPAQUE, "bytes");
    TYPE("B\x02\0\0\0hi", PICKLE_OPAQUE, "bytes");
    TYPE("\x96\x02\0\0\0\0\0\0\0hi", PICKLE_OPAQUE, "bytes");
    TYPE("\x8a\x09\0\0\0\0\0\0\0\0\x01", PICKLE_OPAQUE, "a large integer");
    TYPE(")", PICKLE_TUPLE, "a tuple");
    TYPE("N\x85", PICKLE_TUPLE, "a tuple");
    TYPE("NN\x86", PICKLE_TUPLE, "a tuple");
    TYPE("NNN\x87", PICKLE_TUPLE, "a tuple");
    TYPE("(t", PICKLE_TUPLE, "a tuple");
    TYPE("(NNNNt", PICKLE_TUPLE, "a tuple");
    TYPE("]", PICKLE_LIST, "a list");
    TYPE("]Na", PICKLE_LIST, "a list");
    TYPE("](NNe", PICKLE_LIST, "a list");
    TYPE("}", PICKLE_DICT, "a dict");
    TYPE("}NNs", PICKLE_DICT, "a dict");
    TYPE("}(NNu", PICKLE_DICT, "a dict");
    TYPE("\x8f(NN\x90", PICKLE_OPAQUE, "a set");
    TYPE("(NN\x91", PICKLE_OPAQUE, "a set");
    TYPE("NN0", PICKLE_NONE, "None");
    TYPE("N(NN1", PICKLE_NONE, "None");
    TYPE("Nq\x00"
         "0h\x00",
         PICKLE_NONE, "None");
    TYPE("Nr\x00\0\0\0"
         "0j\x00\0\0\0",
         PICKLE_NONE, "None");
    TYPE("N\x94\x88\x94"
         "00h\x01",
         PICKLE_BOOL, "a bool");
    TYPE("\x95\x01\0\0\0\0\0\0\0N", PICKLE_NONE, "None");
    TYPE("ctorch\nfloat32\n", PICKLE_GLOBAL, "a function");
    TYPE("cos\nsystem\n", PICKLE_OPAQUE, "os.system");
    TYPE("U\x02osU\x06system\x93", PICKLE_OPAQUE, "os.system");
    TYPE("U\x05torchU\x07"
         "float32\x93",
         PICKLE_GLOBAL, "a function");
    TYPE(ORDERED ")R", PICKLE_DICT, "a dict");
    TYPE(ORDERED ")R}U\x09_metadataNsb", PICKLE_DICT, "a dict");
    TYPE(ORDERED ")R}b", PICKLE_DICT, "a dict");
    TYPE("ccollections\ndefaultdict\ncbuiltins\nlist\n\x85R", PICKLE_DICT, "a dict");
    TYPE("ctorch\nSize\n(K\x01K\x02t\x85R", PICKLE_TUPLE, "a tuple");
}

/* What is done to something unknown gives the unknown thing. */
static void test_opaque(void **state)
{
    TYPE("cos\nsystem\nU\x02ls\x85R", PICKLE_OPAQUE, "os.system");
    TYPE("cm\nC\n)\x81}b", PICKLE_OPAQUE, "m.C");
    TYPE("cm\nC\n)}\x92", PICKLE_OPAQUE, "m.C");
    TYPE("cm\nC\n)\x81NNs}b", PICKLE_OPAQUE, "m.C");
    TYPE("cm\nC\n)R(NNu(NNeNaNNs", PICKLE_OPAQUE, "m.C");
    TYPE("cm\nC\n)R(N\x90", PICKLE_OPAQUE, "m.C");
    TYPE("c\xff\x1b\nC\n", PICKLE_OPAQUE, "\?\?.C");
    TYPE(TENSOR2 "((U\x07storagecm\nNewStorage\nU\x01"
                 "0U\x03"
                 "cpuK\x04tQK\x00K\x04\x85K\x01\x85\x89NtR",
         PICKLE_OPAQUE, "m.NewStorage");
    TYPE("ctorch._utils\n_rebuild_parameter\n(cm\nC\n\x88NtR", PICKLE_OPAQUE, "m.C");
}

static void check_described(const char *text, size_t size, const char *words)
{
    Run r;
    assert_true(run(&r, text, size));
    g_autofree char *found = torch_describe(&r.value);
    assert_string_equal(found, words);
    clear(&r);
}

/* What weights may have become, in words that say how to mend it. */
static void test_described(void **state)
{
#define DESCRIBED(text, words) check_described("\x80\x02" text ".", sizeof(text) + 2, words)
    DESCRIBED("cnumpy.core.multiarray\n_reconstruct\n)R}b", "a numpy array (use torch.from_numpy)");
    DESCRIBED("cnumpy._core.numeric\n_frombuffer\n)R", "a numpy array (use torch.from_numpy)");
    DESCRIBED("ctorch._utils\n_rebuild_sparse_tensor\n)R", "a sparse tensor (use .to_dense())");
    DESCRIBED("cm\nC\n)R", "m.C");
    DESCRIBED("N", "None");
#define STORAGE4                                                                                   \
    "(U\x07storagectorch\nFloatStorage\nU\x01kU\x03"                                               \
    "cpuK\x04tQ"
    DESCRIBED(TENSOR2 "(" STORAGE4 "K\x00(K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01t"
                      "(K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01t\x89" ORDERED ")RtR",
              "a tensor of more than 8 dimensions");
    DESCRIBED(TENSOR2 "(" STORAGE4 "K\x00K\x04\x85K\x01\x85\x89" ORDERED ")R}U\x04"
                      "conj\x88stR",
              "a lazily conjugated or negated tensor (use .clone())");
}

static void test_long_strings(void **state)
{
    enum { LONG = PICKLE_MAX_STRING + 1 };
    g_autofree char *data = g_malloc0(LONG + 8);
    for (guint32 length = LONG - 1; length <= LONG; length++) {
        Run r;
        guint32 le = GUINT32_TO_LE(length);
        memcpy(data, "\x80\x02X", 3);
        memcpy(data + 3, &le, 4);
        data[7 + length] = '.';
        assert_true(run(&r, data, length + 8));
        assert_int_equal(r.value.type, length == LONG ? PICKLE_OPAQUE : PICKLE_STRING);
        clear(&r);
        data[7 + length] = 0;
    }
}

static void test_protocols(void **state)
{
    REFUSE("", "cut off");
    REFUSE("\x80", "cut off");
    UNSUPPORTED("N.", "without a protocol number");
    UNSUPPORTED("(lp0\n.", "save it again with pickle_protocol=2");
    UNSUPPORTED("\x80\x00N.", "protocol 0, only 2 to 5 are read");
    UNSUPPORTED("\x80\x01N.", "protocol 1,");
    UNSUPPORTED("\x80\x06N.", "save it again with pickle_protocol=2");
    UNSUPPORTED("\x80\xffN.", "protocol 255,");
    for (char protocol = 2; protocol <= 5; protocol++) {
        Run r;
        assert_true(run(&r, (char[]){'\x80', protocol, 'N', '.'}, 4));
        clear(&r);
    }
    REFUSE("\x80\x02\x80\x02N.", "opcode 0x80");
}

/* Every other byte is an error that names it. */
static void test_unknown_opcodes(void **state)
{
    static const char known[] = "NKMJGUTXCB)]}(taesu01qrhjcRbQ."
                                "\x81\x85\x86\x87\x88\x89\x8a\x8c\x8f\x90\x91\x92\x93\x94\x95\x96";
    for (int opcode = 0; opcode < 256; opcode++) {
        g_autofree char *wanted = g_strdup_printf("opcode 0x%02x", opcode);
        if (!memchr(known, opcode, sizeof known - 1))
            refuse((char[]){'\x80', 2, (char)opcode, '.'}, 4, wanted);
    }
}

static void test_stack(void **state)
{
    static const char missing[] = "a value is missing from the stack";
    REFUSE("\x80\x02.", "ends with 0 values");
    REFUSE("\x80\x02NN.", "ends with 2 values");
    REFUSE("\x80\x02N(.", "ends with 1 values");
    static const char *const lone[] = {"0", "q\x01", "\x94", "\x85", "R",    "b",     "Q",
                                       "a", "s",     "\x93", "\x81", "\x92", "N\x86", "NN\x87"};
    for (guint i = 0; i < G_N_ELEMENTS(lone); i++) {
        g_autofree char *text = g_strconcat("\x80\x02", lone[i], ".", NULL);
        refuse(text, strlen(text), missing);
    }
    /* Nothing below a mark can be reached. */
    REFUSE("\x80\x02N(0.", missing);
    REFUSE("\x80\x02N(\x85.", missing);
    REFUSE("\x80\x02](Na.", missing);
    REFUSE("\x80\x02}(NNs.", missing);
    REFUSE("\x80\x02}N(Ns.", missing);
    REFUSE("\x80\x02" ORDERED "()R.", missing);
    REFUSE("\x80\x02(N(Nt.", "ends with 2 values");
    static const char *const unmarked[] = {"t", "]e", "}u", "1", "\x8f\x90", "\x91"};
    for (guint i = 0; i < G_N_ELEMENTS(unmarked); i++) {
        g_autofree char *text = g_strconcat("\x80\x02", unmarked[i], ".", NULL);
        refuse(text, strlen(text), "a mark is missing");
    }
    REFUSE("\x80\x02(Ne.", missing);
    REFUSE("\x80\x02}(NNNu.", "a key without a value");
}

/* Every opcode that takes a value of some type, with others. */
static void test_operand_types(void **state)
{
    static const struct {
        const char *before, *after, *why;
        const char *fits; /* letters of the values that it does take */
    } cases[] = {
        {"", "Na", "items for something that is no list", "lo"},
        {"", "(Ne", "items for something that is no list", "lo"},
        {"", "NNs", "items for something that is no dict", "do"},
        {"", "(NNu", "items for something that is no dict", "do"},
        {"", "(N\x90", "items for something that is no set", "o"},
        {"", ")R", "cannot be called", "og"},
        {"cm\nC\n", "R", "arguments that are no tuple", "t"},
        {ORDERED, "R", "arguments that are no tuple", "t"},
        {"", ")\x81", "an instance of something that is no class", "o"},
        {"cm\nC\n", "\x81", "arguments of the wrong type", "t"},
        {"", ")}\x92", "an instance of something that is no class", "o"},
        {"cm\nC\n)", "\x92", "arguments of the wrong type", "d"},
        {"cm\nC\n", "}\x92", "arguments of the wrong type", "t"},
        {"", "}b", "state for something that has none", "dox"},
        {ORDERED ")R", "b", "state that is no dict", "dtN"},
        {"",
         "U\x01"
         "a\x93",
         "a global without proper names", "u"},
        {"U\x01"
         "a",
         "\x93", "a global without proper names", "u"},
        {"", "Q", "an unknown kind of persistent id", ""},
        {ORDERED, "\x85R", "an OrderedDict of something else than a list", "l"},
        {"ctorch\nSize\n", "\x85R", "a torch.Size of something else", "tl"},
        {TENSOR2 "(", "K\x00))\x89NtR", "a tensor without a storage", "xo"},
        {"ctorch._utils\n_rebuild_parameter\n(", "\x88NtR", "a parameter that is no tensor", "o"},
    };
    static const struct {
        char letter;
        const char *code;
    } values[] = {
        {'N', "N"},
        {'b', "\x88"},
        {'i', "K\x01"},
        {'f', "G???????\?"},
        {'u', "U\x01"
              "a"},
        {'t', ")"},
        {'l', "]"},
        {'d', "}"},
        {'g', ORDERED},
        {'o', "cm\nC\n"},
        {'x', "(U\x07storagectorch\nFloatStorage\nU\x01"
              "0U\x03"
              "cpuK\x04tQ"},
    };
    for (guint c = 0; c < G_N_ELEMENTS(cases); c++)
        for (guint v = 0; v < G_N_ELEMENTS(values); v++) {
            g_autofree char *text = g_strconcat("\x80\x02", cases[c].before, values[v].code, NULL);
            GString *whole = g_string_new(text);
            /* K\x00 ends a C string: the one case that has it is put together here. */
            if (g_str_has_prefix(cases[c].after, "K"))
                g_string_append_len(whole, "K\x00))\x89NtR.", 10);
            else
                g_string_append_printf(whole, "%s.", cases[c].after);
            if (!strchr(cases[c].fits, values[v].letter))
                refuse(whole->str, whole->len, cases[c].why);
            else {
                Run r;
                run(&r, whole->str, whole->len); /* may still be refused, for another reason */
                assert_true(!r.error || !strstr(r.error->message, cases[c].why));
                clear(&r);
            }
            g_string_free(whole, TRUE);
        }
}

static void test_memo(void **state)
{
    static const char nothing[] = "a memo index that nothing was put at", range[] = "out of range";
    REFUSE("\x80\x02h\x00.", nothing);
    REFUSE("\x80\x02j\x00\x00\x00\x80.", nothing);
    REFUSE("\x80\x02NNq\x02h\x01.", nothing);
    REFUSE("\x80\x02Nq\x02.", range);
    REFUSE("\x80\x02Nq\xff.", range);
    REFUSE("\x80\x02Nr\xff\xff\xff\xff.", range);
    REFUSE("\x80\x02Nr\xff\xff\xff\x7f.", range);
}

static void test_globals(void **state)
{
    REFUSE("\x80\x02"
           "cmodule",
           "a name without end");
    REFUSE("\x80\x02"
           "cmodule\nname",
           "a name without end");
    g_autofree char *name = g_strnfill(2000, 'a');
    g_autofree char *text = g_strconcat("\x80\x02"
                                        "c",
                                        name, "\nb\n.", NULL);
    refuse(text, strlen(text), "a name without end");
    GString *big = g_string_new_len("\x80\x02X\xd0\x07\0\0", 7);
    g_string_append(big, name);
    g_string_append(big, "U\x01"
                         "a\x93.");
    refuse(big->str, big->len, "a global without proper names");
    g_string_free(big, TRUE);
}

/* Frames may not reach beyond the end, nor may any operand. */
static void test_operands_cut_off(void **state)
{
    static const char *const opcodes[] = {
        "K",         "M\x01",  "J\x01\x01\x01", "G\x01", "\x8a", "\x8a\x02\x01",
        "U",         "U\x02z", "X\x01\x01",     "\x8c",  "C",    "B\x01",
        "N\x95\x01", "Nq",     "Nr\x01",        "h",     "j"};
    for (guint i = 0; i < G_N_ELEMENTS(opcodes); i++) {
        g_autofree char *text = g_strconcat("\x80\x02", opcodes[i], NULL);
        refuse(text, strlen(text), "cut off");
    }
    REFUSE("\x80\x02X\xff\xff\xff\xffx.", "cut off");
    REFUSE("\x80\x02T\xff\xff\xff\xffx.", "cut off");
    REFUSE("\x80\x02T\xff\xff\xff\x7fx.", "cut off");
    REFUSE("\x80\x02\x96\xff\xff\xff\xff\xff\xff\xff\xffN.", "cut off");
    REFUSE("\x80\x02\x96\x01\0\0\0\x01\0\0\0N.", "cut off");
    REFUSE("\x80\x02\x95\xff\xff\xff\xff\xff\xff\xff\xffN.", "cut off");
    REFUSE("\x80\x02\x95\x03\0\0\0\0\0\0\0N.", "cut off");
    REFUSE("\x80\x02N", "cut off");
}

static void test_after_the_end(void **state)
{
    Run r;
    assert_true(RUN(&r, "\x80\x02N.garbage"));
    assert_int_equal(r.used, 4);
    clear(&r);
}

static void test_tensor(void **state)
{
    Run r;
    assert_true(RUN(&r, "\x80\x02" TENSOR2 "((U\x07storagectorch\nHalfStorage\nU\x01kU\x03"
                        "cpuK\x0atQK\x01K\x02K\x03\x86K\x01K\x02\x86\x89" ORDERED ")RtR."));
    const TorchTensor *tensor = torch_tensor_of(&r.value);
    assert_non_null(tensor);
    assert_int_equal(tensor->dtype, PIX_DTYPE_F16);
    assert_int_equal(tensor->rank, 2);
    assert_int_equal(tensor->count, 6);
    assert_int_equal(tensor->span, 6);
    assert_int_equal(tensor->offset, 1);
    assert_false(torch_tensor_is_packed(tensor));
    assert_int_equal(tensor->storage->bytes, 20);
    guint16 span[6] = {0, 1, 2, 3, 4, 5}, elements[6];
    torch_tensor_gather(tensor, (const guint8 *)span, (guint8 *)elements);
    assert_memory_equal(elements, ((guint16[]){0, 2, 4, 1, 3, 5}), sizeof elements);
    assert_ptr_equal(g_hash_table_lookup(r.storages, "k"), tensor->storage);
    clear(&r);
}

/* Every beginning of a real pickle. */
static void test_truncated(void **state)
{
    static const char *const files[] = {"nested-zip.pth", "strides-zip.pth", "types-zip.pth",
                                        "protocol-4.pth"};
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(GBytes) bytes = golden_file(files[i]);
        PixReader reader;
        PixZipLayout layout;
        guint index;
        pix_reader_open_bytes(&reader, bytes);
        assert_true(pix_zip_layout_read(&layout, &reader, NULL));
        assert_true(pix_zip_layout_check(&layout, &reader, NULL));
        assert_true(pix_zip_layout_find(&layout, "data.pkl", &index));
        const PixZipEntry *entry = &g_array_index(layout.entries, PixZipEntry, index);
        const guint8 *pickle = (const guint8 *)g_bytes_get_data(bytes, NULL) + entry->payload;
        for (guint64 n = 0; n <= entry->size; n++) {
            Run r;
            assert_true(run(&r, pickle, n) == (n == entry->size));
            clear(&r);
        }
        pix_zip_layout_clear(&layout);
        pix_reader_close(&reader);
    }
}

/* A pickle of @n times @unit. */
static void refuse_many(const char *start, const char *unit, size_t n, const char *why)
{
    GString *text = g_string_new("\x80\x02");
    g_string_append(text, start);
    for (size_t i = 0; i < n; i++)
        g_string_append(text, unit);
    gint64 before = g_get_monotonic_time();
    refuse(text->str, text->len, why);
    assert_true(is_sanitized() || g_get_monotonic_time() - before < 5 * G_USEC_PER_SEC);
    g_string_free(text, TRUE);
}

static void test_bounds(void **state)
{
    static const char many[] = "too many Python objects";
    refuse_many("", "N", 1100000, "more than 1000000 values at once");
    refuse_many("]", "Na", 1100000, "more than 1000000 items");
    refuse_many("}", "NNs", 1100000, many);
    refuse_many("", "N0", 2100000, "more than 4000000 opcodes");
    refuse_many("", "(", 4100000, many);
    refuse_many("", "]0", 2100000, "more than 4000000 opcodes");
    refuse_many("N", "\x85", 3900000, many);
    refuse_many("",
                "}N\x85\x85\x85\x85"
                "0",
                900000, many);
    refuse_many("N", "\x94", 4100000, many);
    refuse_many("", "cm\nC\n0", 2100000, "more than 4000000 opcodes");
}

/* Ten times ten times ...: few bytes that would be many objects. */
static void test_billion_laughs(void **state)
{
    GString *text = g_string_new("\x80\x02K\x01q");
    g_string_append_c(text, 0);
    for (guint i = 0; i < 200; i++) {
        g_string_append_c(text, '(');
        for (guint j = 0; j < 10; j++) {
            g_string_append_c(text, 'h');
            g_string_append_c(text, (char)i);
        }
        g_string_append(text, "tq");
        g_string_append_c(text, (char)(i + 1));
    }
    g_string_append(text, "\x85.");
    Run r;
    run(&r, text->str, text->len);
    assert_true(r.memory.total < 1024 * 1024);
    clear(&r);
    g_string_free(text, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),        cmocka_unit_test(test_values),
        cmocka_unit_test(test_opaque),          cmocka_unit_test(test_described),
        cmocka_unit_test(test_long_strings),    cmocka_unit_test(test_protocols),
        cmocka_unit_test(test_unknown_opcodes), cmocka_unit_test(test_stack),
        cmocka_unit_test(test_operand_types),   cmocka_unit_test(test_memo),
        cmocka_unit_test(test_globals),         cmocka_unit_test(test_operands_cut_off),
        cmocka_unit_test(test_after_the_end),   cmocka_unit_test(test_tensor),
        cmocka_unit_test(test_truncated),       cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_billion_laughs),
    };
    return cmocka_run_group_tests_name("pickle", tests, NULL, NULL);
}
