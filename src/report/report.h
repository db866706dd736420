/* report.h: a profile as something to read: one format, one file of this directory, one entry in a table.
 *
 *     struct report_options options = report_options_default();
 *     options.view.idle = true;                                  // --idle
 *     const struct report_format *format = report_find_format("web.svg");
 *     TRY(format->write(profile, &options, &out));               // then write out.data to where it belongs
 *
 * All formats show the same view and have the same totals. A writer never fails because of what a recording holds, but
 * where its format is of another kind of recordings; its other errors are of memory. Files, terminals and the messages
 * to the user are the caller's.
 */
#pragma once
#include <stdio.h>

#include "base/buffer.h"
#include "profile/view.h"

enum report_by {
	REPORT_BY_DEFAULT = 0, /* text and pictures: functions; collapsed, pprof and JSON: lines */
	REPORT_BY_FUNCTION,    /* frames are functions and carry no line */
	REPORT_BY_LINE,	       /* frames are lines of functions */
	REPORT_BY_PROCESS,     /* as the default, with a root frame for each process even if there is but one */
	/* Of memory, the rows of the text. */
	REPORT_BY_FILE,
	REPORT_BY_TRACEBACK,
	REPORT_BY_ALLOCATOR,
	REPORT_BY_THREAD,
};

/* The words of --by, in the order of the enum, NULL at the end. */
extern const char *const report_by_words[];

enum report_sort { REPORT_SORT_BOTH = 0, REPORT_SORT_SELF, REPORT_SORT_TOTAL };

/* --sort of a table of calls: the keys of Python's pstats. */
enum report_call_sort {
	CALL_SORT_CUMULATIVE = 0,
	CALL_SORT_CALLS,
	CALL_SORT_FILE,
	CALL_SORT_LINE,
	CALL_SORT_NAME,
	CALL_SORT_NAME_FILE_LINE,
	CALL_SORT_PRIMITIVE,
	CALL_SORT_STANDARD,
	CALL_SORT_INTERNAL,
	CALL_SORT_END
};

/* --sort of functions of a recording of lines. */
enum report_line_sort {
	LINE_SORT_DEFAULT = 0, /* file by file, by first line; of line_profiler's files, as they have it */
	LINE_SORT_TIME,	 /* the least time first: what is hottest stands above the prompt, as line_profiler has it */
	LINE_SORT_CALLS, /* the same by hits of all lines */
	LINE_SORT_FILE,	 /* by file, first line and name */
	LINE_SORT_NAME,
};

/* What `report` can be asked for. Every option works with every format where it has a meaning there. */
struct report_options {
	struct profile_view_options view; /* --idle, --gil (only_gil), --cpu (only_cpu), --weight */
	enum report_by by;		  /* --by function|line|process */
	enum report_sort sort;		  /* --sort self|total: one table of functions instead of two */
	bool tree;			  /* --tree: of the text, only the tree of calls */
	bool threads;			  /* --threads: a root frame for each thread */
	bool full_paths; /* --full-paths: files as the target names them, not shortened by its sys.path */
	bool lines;	 /* --lines: the text shows the hot lines amid their source */
	size_t rows;	 /* -n: rows of each table of the text; 0: as fits the section */
	bool summary;	 /* the text is the head and ten functions by self and by total: the end of `record` */
	/* Of calls. */
	enum report_call_sort call_sort; /* --sort KEY */
	const char *callers, *callees;	 /* --callers, --callees PATTERN: who called, or was called by, what matches */
	const char *title;		 /* a line above the table, as pstats has it for files; NULL: none */
	bool cpu_clock;			 /* --clock cpu: times of calls are CPU times */
	bool measured;			 /* --measured: times as measured, our own work included */
	bool shares;			 /* --shares: what each function's times are of the whole run */
	bool imports;			 /* --imports: the text shows what importing called row by row */
	/* Of lines. */
	enum report_line_sort line_sort; /* --sort KEY */
	bool skip_zero;			 /* --skip-zero: no functions without a hit */
	bool summarize;			 /* --summarize: a line for each function at the end */
	bool line_self;			 /* --self: a column with the time that is not in what a line called */
	double unit;			 /* --unit: of times in the text, in seconds; 0: microseconds */
	/* How the text is drawn; report_options_for_terminal() finds out. */
	unsigned width; /* columns */
	bool colour;	/* ANSI escapes */
	bool ascii;	/* nothing beyond ASCII of our own; names stay as they are */
};

/* Samples, busy time, 80 columns, no colour. */
struct report_options report_options_default(void);

/* Width, colour and characters for text on `stream`: COLUMNS or the terminal's width, 80 when it is none; colour on a
 * terminal unless NO_COLOR is set or TERM is dumb, and with FORCE_COLOR anywhere; ASCII unless the locale is UTF-8. */
void report_options_for_terminal(struct report_options *options, FILE *stream);

struct report_stream;

struct report_format {
	const char *name;	       /* for --format */
	const char *summary;	       /* one line of help */
	const char *const *extensions; /* with the dot, NULL at the end; the first is the usual one */
	bool binary;		       /* not for a terminal */
	/* Appends to `out`, whose data stays NULL where there is nothing to write. The profile is decoded where needed,
	 * and otherwise left as it is. */
	struct error *(*write)(struct profile *profile, const struct report_options *options, struct buffer *out);
	/* Instead of that: a format that is written while events come. */
	struct error *(*open)(FILE *out, struct report_stream **ret_stream);
};

/* To be fed, then finished, then destroyed. `finish` fails, too, when there was nothing of which the format tells. */
struct sink *report_stream_sink(struct report_stream *stream);
struct error *report_stream_finish(struct report_stream *stream);
void report_stream_destroy(struct report_stream *stream);

/* The format of this name, or that of a file of this name by its longest known extension; NULL: none. */
const struct report_format *report_find_format(const char *name_or_file);
/* All formats, NULL at the end, for help and for "no such format" messages. */
const struct report_format *const *report_list_formats(void);

/* What --sort says, for a recording of this mode (0: not known yet, any word will do); sets `sort` and `call_sort`. */
struct error *report_parse_sort(const char *word, uint32_t mode, struct report_options *options);
/* ERROR_USAGE if --callers or --callees is no regular expression. */
struct error *report_check_pattern(const char *pattern);

/* "samples", "wall", "cpu", "bytes", "count" to a weight; false: no such weight. */
bool report_find_weight(const char *name, enum profile_weight *ret_weight);
