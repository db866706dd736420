/* test_program.c: which program the words of a command line start, in a folder made for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/program.h"
#include "cmd/zip.h"

/* A zip archive with the one empty member `name`, after a "#!" line, with a comment of `comment` bytes. */
static size_t make_zip(unsigned char *zip, const char *name, size_t comment)
{
	size_t length = strlen(name), at = 0;
	static const char start[] = "#!/usr/bin/env python3\n";
	memcpy(zip, start, sizeof start - 1);
	at += sizeof start - 1;
	memset(zip + at, 0, 46 + length + 22 + comment);
	memcpy(zip + at, "PK\1\2", 4);
	zip[at + 28] = (unsigned char)length;
	memcpy(zip + at + 46, name, length);
	at += 46 + length;
	memcpy(zip + at, "PK\5\6", 4);
	zip[at + 12] = (unsigned char)(46 + length);
	zip[at + 20] = (unsigned char)comment;
	zip[at + 21] = (unsigned char)(comment >> 8);
	return at + 22 + comment;
}

static void write_file(const char *path, const void *bytes, size_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int make_folder(void **state)
{
	static char folder[] = "/tmp/pyrometer-test-XXXXXX";
	unsigned char zip[512];
	if (!mkdtemp(folder) || chdir(folder) != 0)
		return -1;
	*state = folder;
	mkdir("bin", 0755);
	mkdir("old", 0755);
	mkdir("package", 0755);
	mkdir("folder", 0755);
	write_file("bin/python3", "#!", 2, 0755);
	write_file("bin/gunicorn", "#!", 2, 0755);
	write_file("bin/readme", "", 0, 0644);
	write_file("old/python", "#!", 2, 0755);
	write_file("package/__main__.py", "", 0, 0644);
	write_file("app.py", "", 0, 0644);
	write_file("app.pyc", "", 0, 0644);
	write_file("tool.pyz", "", 0, 0644);
	write_file("executable.py", "", 0, 0755);
	write_file("binary", "", 0, 0755);
	write_file("zipped", zip, make_zip(zip, "__main__.py", 0), 0755);
	write_file("data.zip", zip, make_zip(zip, "data.txt", 0), 0755);
	return 0;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	return remove(path);
}

static int remove_folder(void **state)
{
	return chdir("/") != 0 || nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0;
}

static struct error *resolve(
	const struct program_options *options, const char *line, const char *path, struct program *program)
{
	static char copy[256];
	char *words[16], *next = NULL;
	size_t count = 0;
	snprintf(copy, sizeof copy, "%s", line);
	for (char *word = strtok_r(copy, " ", &next); word; word = strtok_r(NULL, " ", &next))
		words[count++] = word;
	words[count] = NULL;
	return program_resolve(options, words, path, program);
}

/* `argv`: its words, joined by blanks. */
static void expect(const struct program_options *options, const char *line, const char *path, const char *executable,
	const char *argv, const char *name)
{
	struct program program;
	char joined[256] = "";
	assert_null(resolve(options, line, path, &program));
	for (char **word = program.argv; *word; word++)
		snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s",
			word == program.argv ? "" : " ", *word);
	assert_string_equal(program.executable, executable);
	assert_string_equal(joined, argv);
	assert_string_equal(program.name, name);
	program_deinit(&program);
}

static void expect_error(const struct program_options *options, const char *line, int status, const char *says)
{
	struct program program;
	struct error *error = resolve(options, line, "bin", &program);
	assert_non_null(error);
	assert_int_equal(error_status(error), status);
	assert_non_null(strstr(error_message(error), says));
	error_free(error);
}

static const struct program_options none;

static void test_what_python_runs(void **state)
{
	expect(&none, "app.py a -b", "bin:old", "bin/python3", "python3 app.py a -b", "app");
	expect(&none, "./app.pyc", "bin", "bin/python3", "python3 ./app.pyc", "app");
	expect(&none, "tool.pyz x", "bin", "bin/python3", "python3 tool.pyz x", "tool");
	expect(&none, "executable.py", "bin", "bin/python3", "python3 executable.py", "executable");
	expect(&none, "package", "bin", "bin/python3", "python3 package", "package");
	expect(&none, "package/ x", "bin", "bin/python3", "python3 package/ x", "package");
	expect(&none, "zipped", "bin", "bin/python3", "python3 zipped", "zipped");
}

static void test_which_python(void **state)
{
	expect(&none, "app.py", "old:bin", "bin/python3", "python3 app.py", "app");
	expect(&none, "app.py", "nowhere:old", "old/python", "python app.py", "app");
	const struct program_options named = { .python = "bin/gunicorn" }, on_path = { .python = "python" };
	expect(&named, "app.py", "old", "bin/gunicorn", "bin/gunicorn app.py", "app");
	expect(&on_path, "app.py", "bin:old", "old/python", "python app.py", "app");
	setenv("PYROMETER_PYTHON", "old/python", 1);
	expect(&none, "app.py", "bin", "old/python", "old/python app.py", "app");
	assert_null(getenv("PYROMETER_PYTHON")); /* the target does not see it */
	setenv("PYROMETER_PYTHON", "old/python", 1);
	expect(&on_path, "app.py", "bin:old", "old/python", "python app.py", "app");
	setenv("PYROMETER_PYTHON", "old/python", 1);
	expect(&none, "gunicorn", "bin", "bin/gunicorn", "gunicorn", "gunicorn");
	assert_null(getenv("PYROMETER_PYTHON"));
	const struct program_options missing = { .python = "python9" };
	expect_error(&missing, "app.py", 127, "no program 'python9'");
}

static void test_module_and_code(void **state)
{
	const struct program_options module = { .module = "pkg.tool" }, code = { .code = "print(1)" };
	expect(&module, "-q x", "bin", "bin/python3", "python3 -m pkg.tool -q x", "pkg.tool");
	expect(&code, "app.py", "bin", "bin/python3", "python3 -c print(1) app.py", "python3");
}

static void test_what_is_executed(void **state)
{
	expect(&none, "gunicorn app:app", "old:bin", "bin/gunicorn", "gunicorn app:app", "gunicorn");
	expect(&none, "./binary -x", "bin", "./binary", "./binary -x", "binary");
	expect(&none, "bin/python3 app.py", "", "bin/python3", "bin/python3 app.py", "python3");
	expect(&none, "./data.zip", "bin", "./data.zip", "./data.zip", "data.zip");
	expect(&none, "binary", "bin:", "./binary", "binary", "binary"); /* an empty entry of PATH is this folder */
}

static void test_what_is_missing(void **state)
{
	const struct program_options python = { .python = "python3" };
	expect_error(&none, "", 2, "name what to run");
	expect_error(&none, "missing.py", 127, "no file 'missing.py'");
	expect_error(&none, "missing", 127, "no program 'missing' on PATH");
	expect_error(&none, "binary", 127, "started as ./NAME");
	expect_error(&none, "./missing", 127, "no file './missing'");
	expect_error(&none, "readme", 126, "not executable");
	expect_error(&none, "./bin/readme", 126, "not executable");
	expect_error(&none, "./folder", 126, "without a __main__.py");
	expect_error(&python, "gunicorn app:app", 2, "executed as it stands");
	struct program program;
	struct error *error = resolve(&none, "app.py", "nowhere", &program);
	assert_int_equal(error_status(error), 127);
	assert_non_null(strstr(error_message(error), "--python"));
	error_free(error);
}

static void test_zip(void **state)
{
	static unsigned char zip[70000];
	size_t size = make_zip(zip, "__main__.py", 65535);
	assert_true(zip_tail_has(zip, size, "__main__.py"));
	assert_false(zip_tail_has(zip, size, "__main__.p"));
	assert_false(zip_tail_has(zip, size - 1, "__main__.py"));
	assert_false(zip_tail_has(zip, 0, "__main__.py"));
	size = make_zip(zip, "__main__.py", 3);
	for (size_t cut = 0; cut < size; cut++)
		assert_false(zip_tail_has(zip, cut, "__main__.py"));
	for (size_t i = 0; i < size; i++)
		for (unsigned bit = 0; bit < 8; bit++) { /* must only not crash */
			zip[i] ^= (unsigned char)(1 << bit);
			zip_tail_has(zip, size, "__main__.py");
			zip[i] ^= (unsigned char)(1 << bit);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_python_runs),
		cmocka_unit_test(test_which_python),
		cmocka_unit_test(test_module_and_code),
		cmocka_unit_test(test_what_is_executed),
		cmocka_unit_test(test_what_is_missing),
		cmocka_unit_test(test_zip),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
