/* test_pickle.c: what pickles hold, and what those that nobody pickled do to the reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "bytecode/pickle.h"

/* The sentence about bytes that are no pickle. */
static void expect_refusal(const char *bytes, size_t size, const char *words)
{
	struct pickle pickle = { 0 };
	_cleanup_error_ struct error *error = pickle_read(bytes, size, &pickle);
	if (!error)
		fail_msg("no '%s'", words);
	assert_int_equal(error->kind, ERROR_CORRUPT);
	if (!strstr(error_message(error), words))
		fail_msg("'%s' is not '%s'", error_message(error), words);
}
#define REFUSED(bytes, words) expect_refusal(bytes, sizeof bytes - 1, words)

static struct pickle read_all(const char *bytes, size_t size)
{
	struct pickle pickle = { 0 };
	_cleanup_error_ struct error *error = pickle_read(bytes, size, &pickle);
	if (error)
		fail_msg("%s", error_message(error));
	return pickle;
}
#define READ(bytes) read_all(bytes, sizeof bytes - 1)

static void expect_integer(const char *bytes, size_t size, int64_t integer)
{
	_cleanup_pickle_ struct pickle pickle = read_all(bytes, size);
	assert_int_equal(pickle_whole(&pickle)->kind, PICKLE_INTEGER);
	assert_int_equal(pickle_whole(&pickle)->integer, integer);
}
#define INTEGER(bytes, integer) expect_integer(bytes, sizeof bytes - 1, integer)

static void test_integers(void **state)
{
	INTEGER("\x80\x02K\xff.", 255);
	INTEGER("\x80\x02M\xff\xff.", 65535);
	INTEGER("\x80\x02J\xff\xff\xff\xff.", -1);
	INTEGER("\x80\x02\x88.", 1);
	INTEGER("\x80\x02\x8a\x00.", 0);
	INTEGER("\x80\x02\x8a\x01\x80.", -128);
	INTEGER("\x80\x02\x8a\x02\x80\x00.", 128);
	INTEGER("\x80\x02\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.", INT64_MAX);
	INTEGER("\x80\x02\x8a\x08\xff\xff\xff\xff\xff\xff\xff\xff.", -1);
	INTEGER("\x80\x02\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00.", INT64_MAX);
	INTEGER("\x80\x02\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x80.", INT64_MIN);
	INTEGER("\x80\x02\x8b\x01\x00\x00\x00\x07.", 7);
}

/* A list that is referred to before it is filled, in an object with a state. */
static void test_object(void **state)
{
	_cleanup_pickle_ struct pickle p = READ(
		"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00\x8c\x01m\x94\x8c\x01N\x94\x93)\x81}(X\x01\x00\x00\x00"
		"a]\x94(K\x01h\x02K\x02"
		"eX\x01\x00\x00\x00"
		"bG?\xf8\x00\x00\x00\x00\x00\x00ub.");
	const struct pickle_value *object = pickle_whole(&p), *class = pickle_item(&p, object, 0),
				  *dict = pickle_item(&p, object, 2), *list = pickle_item(&p, dict, 1);
	assert_int_equal(object->kind, PICKLE_OBJECT);
	assert_memory_equal(pickle_item(&p, class, 1)->text.data, "N", 1);
	assert_int_equal(dict->items.count, 4);
	assert_int_equal(list->items.count, 3);
	assert_int_equal(pickle_item(&p, list, 2)->integer, 2);
	assert_ptr_equal(pickle_item(&p, list, 1), list);
	assert_true(pickle_item(&p, dict, 3)->real == 1.5);
	assert_int_equal(pickle_item(&p, list, 3)->kind, PICKLE_NONE);
	const struct pickle_item *item = pickle_first(&p, list);
	for (int i = 0; i < 2; i++)
		item = pickle_next(&p, item);
	assert_null(pickle_next(&p, item));
}

static void test_hostile(void **state)
{
	REFUSED("", "cut off");
	REFUSED("\x80\x02", "cut off");
	REFUSED("\x80\x06N.", "another protocol");
	REFUSED("\x80\x01N.", "another protocol");
	REFUSED("\x80\x02.", "a value is missing");
	REFUSED("\x80\x02(.", "a value is missing");
	REFUSED("\x80\x02(K\x01", "cut off");
	REFUSED("\x80\x02t.", "a mark is missing");
	REFUSED("\x80\x02K\x01\x86.", "a value is missing");
	REFUSED("\x80\x02(K\x01\x86.", "a value is missing");
	REFUSED("\x80\x02K\x01K\x02"
		"a.",
		"items are added to what has none");
	REFUSED("\x80\x02(K\x01"
		"a.",
		"a value is missing");
	REFUSED("\x80\x02(K\x01"
		"e.",
		"a value is missing");
	REFUSED("\x80\x02}(K\x01u.", "a key has no value");
	REFUSED("\x80\x02](K\x01K\x02u.", "items are added to what has none");
	REFUSED("\x80\x02}}b.", "what has a state is no object");
	REFUSED("\x80\x02h\x00.", "refers to what is not there");
	REFUSED("\x80\x02Nr\xff\xff\xff\xff.", "at no place");
	REFUSED("\x80\x02X\xff\xff\xff\xff"
		"a.",
		"cut off");
	REFUSED("\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
		"a.",
		"cut off");
	REFUSED("\x80\x02\x8b\xff\xff\xff\x7f"
		"a.",
		"cut off");
	REFUSED("\x80\x02"
		"cos\nsystem.",
		"cut off");
	REFUSED("\x80\x02P1\n.", "it holds what is no number");
	REFUSED("\x80\x02q\x00.", "a value is missing");
	REFUSED("\x80\x02"
		"0.",
		"a value is missing");
}

/* What would call a function of another module is two texts and no more. */
static void test_nothing_runs(void **state)
{
	_cleanup_pickle_ struct pickle p = READ("\x80\x02"
						"cos\nsystem\nX\x04\x00\x00\x00"
						"echo\x85R.");
	const struct pickle_value *object = pickle_whole(&p);
	assert_int_equal(object->kind, PICKLE_OBJECT);
	assert_memory_equal(pickle_item(&p, pickle_item(&p, object, 0), 1)->text.data, "system", 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_object),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_nothing_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
