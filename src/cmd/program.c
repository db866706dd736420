/* program.c: see program.h. Nothing is executed here: the words are looked at, and files are looked for. */
#include "cmd/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "cmd/zip.h"

/* What execvp searches when PATH is not set. */
static const char default_path[] = "/bin:/usr/bin";

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);
	return length > end_length && strcmp(text + length - end_length, end) == 0;
}

static bool is_file(const char *path)
{
	struct stat stat_;
	return stat(path, &stat_) == 0 && S_ISREG(stat_.st_mode);
}

static bool is_folder(const char *path)
{
	struct stat stat_;
	return stat(path, &stat_) == 0 && S_ISDIR(stat_.st_mode);
}

static bool folder_is_program(const char *path)
{
	char *main_file;
	if (asprintf(&main_file, "%s/__main__.py", path) < 0)
		return false;
	bool found = is_file(main_file);
	free(main_file);
	return found;
}

static bool is_run_by_python(const char *word)
{
	if (ends_with(word, ".py") || ends_with(word, ".pyc") || ends_with(word, ".pyz"))
		return true;
	return is_folder(word) ? folder_is_program(word) : zip_file_has(word, "__main__.py");
}

/* NULL: not there. Writes *ret_found when a file of that name is executable; *ret_denied when one is not. */
static struct error *search_path(const char *name, const char *path, char **ret_found, bool *ret_denied)
{
	for (const char *at = path; at; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
		int length = (int)strcspn(at, ":");
		char *candidate;
		if (asprintf(&candidate, "%.*s%s%s", length, at, length ? "/" : "./", name) < 0)
			return &error_no_memory;
		if (is_file(candidate) && access(candidate, X_OK) == 0) {
			*ret_found = candidate;
			return NULL;
		}
		*ret_denied = *ret_denied || is_file(candidate);
		free(candidate);
	}
	return NULL;
}

/* The file that a shell would execute for this word. */
static struct error *find_executable(const char *word, const char *path, char **ret_file)
{
	char *found = NULL;
	bool denied = false;
	if (!strchr(word, '/')) {
		TRY(search_path(word, path ? path : default_path, &found, &denied));
	} else if (is_folder(word)) {
		return error_new(
			ERROR_NOT_EXECUTABLE, "'%s' is a folder without a __main__.py: there is nothing to run", word);
	} else if (access(word, F_OK) != 0) {
		return error_new(ERROR_NOT_FOUND, "there is no file '%s'", word);
	} else if (access(word, X_OK) != 0) {
		denied = true;
	} else if (!(found = strdup(word))) {
		return &error_no_memory;
	}
	if (!found && denied)
		return error_new(ERROR_NOT_EXECUTABLE,
			"'%s' is not executable: chmod +x, or name the program that runs it", word);
	if (!found)
		return error_new(ERROR_NOT_FOUND, "there is no program '%s' on PATH%s", word,
			is_file(word) ? "; the file of this folder is started as ./NAME" : "");
	*ret_file = found;
	return NULL;
}

/* The interpreter, and the word that becomes its argv[0]: by that word Python finds its virtual environment. */
static struct error *find_python(const char *wanted, const char *path, char **ret_file, const char **ret_word)
{
	static const char *const names[] = { "python3", "python" };
	if (wanted) {
		*ret_word = wanted;
		return find_executable(wanted, path, ret_file);
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *found = NULL;
		bool denied = false;
		TRY(search_path(names[i], path ? path : default_path, &found, &denied));
		if (found) {
			*ret_file = found;
			*ret_word = names[i];
			return NULL;
		}
	}
	return error_new(ERROR_NOT_FOUND, "there is no python3 and no python on PATH: name one by --python");
}

/* "app" for "src/app.py"; "pkg" for "pkg/": a name that can stand in a file name. */
static char *short_name(const char *word)
{
	size_t length = strlen(word);
	while (length > 1 && word[length - 1] == '/')
		length--;
	const char *slash = memrchr(word, '/', length);
	const char *start = slash && slash + 1 < word + length ? slash + 1 : word;
	length -= (size_t)(start - word);
	static const char *const endings[] = { ".py", ".pyc", ".pyz" };
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		size_t ending = strlen(endings[i]);
		if (length > ending && strncmp(start + length - ending, endings[i], ending) == 0) {
			length -= ending;
			break;
		}
	}
	char *name = strndup(start, length);
	for (char *c = name; c && *c; c++)
		if (*c == '/')
			*c = '_';
	return name;
}

/* argv: `first` words, then the target's own. */
static struct error *make_argv(const char *const first[3], char *const *words, char ***ret_argv)
{
	size_t head = 0, count = 0;
	while (head < 3 && first[head])
		head++;
	while (words[count])
		count++;
	char **argv = calloc(head + count + 1, sizeof *argv);
	if (!argv)
		return &error_no_memory;
	*ret_argv = argv;
	for (size_t i = 0; i < head + count; i++)
		if (!(argv[i] = strdup(i < head ? first[i] : words[i - head])))
			return &error_no_memory;
	return NULL;
}

bool program_is_given(const struct program_options *options, char *const *words)
{
	return options->module || options->code || words[0];
}

const char *program_what(const struct program_options *options, char *const *words)
{
	return options->module ? options->module : options->code ? "the code" : words[0];
}

static char *take_from_environment(const char *name)
{
	const char *value = getenv(name);
	char *taken = value && *value ? strdup(value) : NULL;
	unsetenv(name);
	return taken;
}

static struct error *resolve(
	const struct program_options *options, char *const *words, const char *path, struct program *program)
{
	const char *first[3] = { NULL };
	_cleanup_free_ char *own_python = take_from_environment("PYROMETER_PYTHON");
	if (options->module || options->code || is_run_by_python(words[0])) {
		if (!options->module && !options->code && !is_folder(words[0]) && !is_file(words[0]))
			return error_new(ERROR_NOT_FOUND, "there is no file '%s'", words[0]);
		TRY(find_python(options->python ? options->python : own_python, path, &program->executable, &first[0]));
		if (options->module || options->code) {
			first[1] = options->module ? "-m" : "-c";
			first[2] = options->module ? options->module : options->code;
		}
	} else {
		if (options->python)
			return error_new(ERROR_USAGE,
				"--python is for what Python runs (app.py, -m, -c); '%s' is executed as it stands",
				words[0]);
		TRY(find_executable(words[0], path, &program->executable));
	}
	TRY(make_argv(first, words, &program->argv));
	program->name = short_name(options->module ? options->module : options->code ? first[0] : words[0]);
	return program->name ? NULL : &error_no_memory;
}

struct error *program_resolve(
	const struct program_options *options, char *const *words, const char *path, struct program *ret_program)
{
	if (!program_is_given(options, words))
		return error_new(ERROR_USAGE, "name what to run: app.py, -m MODULE, -c CODE or a command line");
	_cleanup_program_ struct program program = { 0 };
	TRY(resolve(options, words, path, &program));
	*ret_program = program;
	program = (struct program){ 0 };
	return NULL;
}

void program_deinit(struct program *program)
{
	for (char **word = program->argv; word && *word; word++)
		free(*word);
	free(program->argv);
	free(program->executable);
	free(program->name);
	*program = (struct program){ 0 };
}
