/* error.h: errors are values. A function that can fail returns `struct error *`, NULL when all went well; results come
 * last and are written only on success. The message is one sentence, made where the fact is known: what happened, to
 * what, what to do. Only src/cmd prints it. */
#pragma once
#include <stdarg.h>

enum error_kind {
	ERROR_FAILED = 0,     /* status 125 */
	ERROR_USAGE,	      /* 2: the command line is wrong */
	ERROR_NOT_FOUND,      /* 127: the program to start does not exist */
	ERROR_NOT_EXECUTABLE, /* 126 */
	ERROR_GONE,	      /* the target ended or exec'd; usually no failure of ours */
	ERROR_DENIED,	      /* the kernel says no; `doctor` explains */
	ERROR_UNSUPPORTED,    /* not something that we read: PyPy, 32 bit, no Python */
	ERROR_CORRUPT,	      /* bad input */
	ERROR_NO_MEMORY,
	ERROR_NOT_READY, /* the interpreter has not begun yet: ask again */
};

struct error {
	enum error_kind kind;
	int errnum; /* errno behind it, or 0 */
	char message[];
};

struct error *error_new(enum error_kind kind, const char *format, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull, warn_unused_result));
/* "<what>: <strerror>" */
struct error *error_os(int errnum, const char *format, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull, warn_unused_result));
extern struct error error_no_memory; /* never freed */

/* NULL-safe. */
void error_free(struct error *error);
/* The sentence, without a full stop or a newline. */
const char *error_message(const struct error *error);
/* The status that `pyrometer` ends with because of it; 0 for NULL. */
int error_status(const struct error *error);

static inline void error_free_p(struct error **error)
{
	error_free(*error);
}
#define _cleanup_error_ __attribute__((cleanup(error_free_p)))

/* Leave this function with what failed in that one. The one macro here that hides control flow, and the only one
 * allowed to: without it every call would be four lines. */
#define TRY(call)                                         \
	do {                                              \
		struct error *try_error_ = (call);        \
		if (__builtin_expect(try_error_ != 0, 0)) \
			return try_error_;                \
	} while (0)
