/* test_pattern.c: which functions a pattern of -f and --exclude names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/codes/pattern.h"

static const struct {
	const char *pattern, *file, *name;
	bool matches;
} cases[] = {
	{ "work", "/a/app.py", "work", true },
	{ "work", "/a/app.py", "Box.work", true },
	{ "work", "/a/app.py", "work.<locals>.inner", false },
	{ "work", "/a/app.py", "homework", false },
	{ "wo*", "/a/app.py", "work", true },
	{ "wo*", "/a/app.py", "work.<locals>.inner", false },
	{ "w?rk", "/a/app.py", "work", true },
	{ "w?rk", "/a/app.py", "woork", false },
	{ "*a*b", "/a/app.py", "xaxbab", true },
	{ "*a*b", "/a/app.py", "xaxbac", false },
	{ "f.*", "/a/app.py", "f", false },
	{ "f.*", "/a/app.py", "f.<locals>.g", true },
	{ "f.*", "/a/app.py", "A.f.<locals>.g.<locals>.h", true },
	{ "f.*.h", "/a/app.py", "f.<locals>.g.<locals>.h", true },
	{ "f.*.h", "/a/app.py", "f.<locals>.h", false },
	{ "f.**.h", "/a/app.py", "f.<locals>.h", true },
	{ "*", "/a/app.py", "anything", true },
	{ "Box.put", "/a/app.py", "Outer.Box.put", true },
	{ "Box.put", "/a/app.py", "Box.put.<locals>.put", false },
	{ "src/**", "/home/me/src/a/b.py", "f", true },
	{ "src/**", "src/b.py", "f", true },
	{ "src/**", "/home/me/srcs/a/b.py", "f", false },
	{ "src/*.py", "/home/me/src/a/b.py", "f", false },
	{ "src/*.py", "/home/me/src/b.py", "f", true },
	{ "src/**/b.py", "/home/me/src/b.py", "f", true },
	{ "src/**/b.py", "/home/me/src/x/y/b.py", "f", true },
	{ "/src/**", "/home/src/b.py", "f", false },
	{ "/home/**", "/home/src/b.py", "f", true },
	{ "app.py", "/a/app.py", "f", true },
	{ "app.py", "/a/myapp.py", "f", false },
	{ "app.py:f", "/a/app.py", "f", true },
	{ "app.py:f", "/a/app.py", "A.f", false },
	{ "src/**:A.*", "/a/src/x.py", "A.f", true },
	{ "pkg.mod:Class.*", "/lib/pkg/mod.py", "Class.f", true },
	{ "pkg.mod:Class.*", "/lib/pkg/mod/__init__.py", "Class.f", true },
	{ "pkg.mod:Class.*", "/lib/pkg/mod.py", "Other.Class.f", false },
	{ "pkg.mod:Class.*", "/lib/pkg/mod/other.py", "Class.f", false },
	{ "pkg.mod:", "/lib/pkg/mod.py", "anything", true },
	{ "pkg.*:f", "/lib/pkg/mod.py", "f", true },
	{ "pkg.**:f", "/lib/pkg/sub/mod.py", "f", true },
	{ "pkg:f", "/lib/pkg/mod.py", "f", false },
	{ "fast:f", "/lib/fast.cpython-312.so", "f", true },
	{ "importlib._bootstrap:_load", "<frozen importlib._bootstrap>", "_load", true },
	{ "_bootstrap:", "<frozen importlib._bootstrap_external>", "_load", false },
	{ ":f", "/a/app.py", "f", true },
	{ ":f", "/a/app.py", "A.f", false },
	{ "<lambda>", "<string>", "f.<locals>.<lambda>", true },
};

static void patterns_match(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pattern pattern;
		assert_true(pattern_parse(cases[i].pattern, strlen(cases[i].pattern), &pattern));
		bool matches = pattern_matches(&pattern, (struct pattern_text){ cases[i].file, strlen(cases[i].file) },
			(struct pattern_text){ cases[i].name, strlen(cases[i].name) });
		if (matches != cases[i].matches)
			fail_msg("%s: %s of %s", cases[i].pattern, cases[i].name, cases[i].file);
	}
}

static void nothing_is_no_pattern(void **state)
{
	struct pattern pattern;
	assert_false(pattern_parse("", 0, &pattern));
	assert_false(pattern_parse(":", 1, &pattern));
}

static void names_within_names_are_told(void **state)
{
	struct pattern pattern;
	assert_true(pattern_parse("pkg.mod:f", 9, &pattern));
	assert_false(pattern_needs_qualified(&pattern));
	assert_true(pattern_parse("A.f", 3, &pattern));
	assert_true(pattern_needs_qualified(&pattern));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match),
		cmocka_unit_test(nothing_is_no_pattern),
		cmocka_unit_test(names_within_names_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
